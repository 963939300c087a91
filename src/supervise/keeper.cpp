#include "supervise/keeper.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "os/child_calls.hpp"
#include "os/file.hpp"
#include "os/message_socket.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/spawn.hpp"
#include "supervise/members.hpp"
#include "supervise/message.hpp"
#include "supervise/successor.hpp"
#include "supervise/supervisor.hpp"

namespace steward::supervise {

namespace {

// A supervisor that dies sooner than this after its birth is not replaced at once, but after as long.
constexpr std::chrono::milliseconds respawn_pause{200};
constexpr int protected_oom_score = -900;
constexpr auto signals = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH};

enum SupervisorExit : int { service_over = 0, supervisor_failed = 70, make_way = 71 };

class Keeper {
  public:
    // `takes_over`: something runs already, and this is the process that it depends on.
    Keeper(const std::vector<Assignment*>& assignments, KeeperOptions& options, bool takes_over = false)
        : assignments_(assignments), options_(options), takes_over_(takes_over)
    {
    }

    int run() noexcept;
    // With run() over: how the only service ended by itself, if it did.
    [[nodiscard]] const std::optional<ExitStatus>& last_exit() const { return last_exit_; }

  private:
    bool begin();
    bool spawn_supervisor();
    void make_way_for_successor();
    static int supervisor_body(void* keeper) noexcept;
    int supervise();
    int replace_keeper();
    void protect();
    std::optional<int> reap();
    void hand_on(const os::Reaped& reaped);
    void hear();
    [[nodiscard]] const std::string& name() const { return assignments_.front()->spec.name; }

    const std::vector<Assignment*>& assignments_;
    KeeperOptions& options_;
    std::vector<os::ProcessIdentity> strangers_;
    std::optional<ExitStatus> last_exit_;
    int asked_to_end_ = 0;  // the signal
    bool takes_over_;
    os::ProcessIdentity self_;
    os::Pipe notices_;
    Successor successor_;
    std::optional<os::ProcessRef> supervisor_;
    std::chrono::steady_clock::time_point born_;
    int oom_score_ = 0;
    bool oom_protected_ = false;
};

bool Keeper::begin()
{
    if (options_.notices.read) {
        notices_ = std::move(options_.notices);
    } else if (!notices_.read) {
        auto notices = os::make_message_pair();
        if (!notices) return false;
        notices_ = std::move(*notices);
    }
    // PID 1 of a container goes with its image.
    if (self_.pid != 1) successor_ = Successor(*assignments_.front(), notices_);
    return os::become_subreaper() && os::block_signals(signals) && spawn_supervisor();
}

int Keeper::run() noexcept
{
    os::set_process_name("steward-keeper");
    self_ = os::self_identity();
    if (self_.pid == 1) strangers_ = processes_below(self_.pid);
    while (!begin()) {
        if (!takes_over_) return supervisor_failed;
        std::this_thread::sleep_for(respawn_pause);
    }
    // The caller learns of a dead supervisor by the end of this channel, so nobody else may hold it.
    options_.start_report.reset();
    for (Assignment* assignment : assignments_) assignment->adopt = true;
    protect();
    for (;;) {
        hear();
        // Before the first wait too: whoever takes over may have children whose SIGCHLD its old loop has taken already.
        if (const auto code = reap()) return *code;
        std::int32_t sender = 0;
        const int signal = os::wait_for_signal(signals, &sender);
        if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT) asked_to_end_ = signal;
        if (signal != SIGCHLD && supervisor_) static_cast<void>(supervisor_->signal(signal));
    }
}

// What a supervisor has to say, the last words of one that has ended too.
void Keeper::hear()
{
    SupervisorWord word;
    while (os::receive_into(notices_.write, std::as_writable_bytes(std::span(&word, 1))) == sizeof word) {
        if (word.kind == SupervisorWord::Kind::over) {
            last_exit_.reset();
            if (word.known != 0) last_exit_ = ExitStatus{.signalled = word.signalled != 0, .code = word.value};
        } else if (static_cast<std::size_t>(word.value) < assignments_.size()) {
            Assignment& released = *assignments_[static_cast<std::size_t>(word.value)];
            released.released = true;
            released.lease.reset();
            released.control.reset();
            released.fifos = {};
            released.notify.reset();
            released.sockets.clear();
        }
    }
}

// Everything that has ended, in one go: signals merge. Set when the keeper's own work is done.
std::optional<int> Keeper::reap()
{
    bool respawn = false;
    for (;;) {
        const auto reaped = os::reap_any();
        if (!reaped || !*reaped) break;
        if (supervisor_ && (*reaped)->pid == supervisor_->pid()) {
            const ExitStatus& end = (*reaped)->status;
            hear();
            if (!end.signalled && end.code == service_over) return service_over;
            if (!end.signalled && end.code == make_way) make_way_for_successor();
            supervisor_.reset();
            respawn = true;
        } else {
            hand_on(**reaped);
        }
    }
    while (respawn) {
        if (std::chrono::steady_clock::now() - born_ < respawn_pause) std::this_thread::sleep_for(respawn_pause);
        respawn = !spawn_supervisor();
    }
    return std::nullopt;
}

// What has not been reaped yet, the successor will. A stop that has been asked for meanwhile would be forgotten with this process's memory.
void Keeper::make_way_for_successor()
{
    if (asked_to_end_ != 0) return;
    if (oom_protected_) static_cast<void>(os::child::set_oom_score_adjust(oom_score_));
    static_cast<void>(successor_.execute());
    // It has proved that it can be executed a moment ago; should it have gone since, the next supervisor is of this version.
    if (oom_protected_) static_cast<void>(os::child::set_oom_score_adjust(protected_oom_score));
}

void Keeper::hand_on(const os::Reaped& reaped)
{
    const ExitNotice notice{.pid = reaped.pid,
                            .code = reaped.status.code,
                            .signalled = static_cast<std::uint8_t>(reaped.status.signalled ? 1 : 0),
                            .core_dumped = static_cast<std::uint8_t>(reaped.status.core_dumped ? 1 : 0)};
    // A supervisor that has stopped reading must not hold up the keeper, who would not even see it die. What is dropped then is an exit
    // status at most: the end itself shows.
    static_cast<void>(os::send_message_now(notices_.write, std::as_bytes(std::span(&notice, 1))));
}

// The keeper alone is spared by the OOM killer, where that is allowed: the first supervisor was born before, later ones undo it.
void Keeper::protect()
{
    const auto score = os::read_file("/proc/self/oom_score_adj", 16);
    if (!score) return;
    oom_score_ = static_cast<int>(std::strtol(score->c_str(), nullptr, 10));
    oom_protected_ = os::child::set_oom_score_adjust(protected_oom_score) == 0;
}

bool Keeper::spawn_supervisor()
{
    born_ = std::chrono::steady_clock::now();
    auto spawned = os::spawn(&Keeper::supervisor_body, this);
    if (!spawned) return false;
    auto process = os::ProcessRef::adopt_child(spawned->child.pid, std::move(spawned->child.pidfd));
    if (!process) {
        os::abandon(spawned->child.pid);
        return false;
    }
    supervisor_ = std::move(*process);
    // The last one may have died before it had begun to stop.
    if (asked_to_end_ != 0) static_cast<void>(supervisor_->signal(asked_to_end_));
    return true;
}

int Keeper::supervisor_body(void* keeper) noexcept
{
    return static_cast<Keeper*>(keeper)->supervise();
}

int Keeper::supervise()
{
    os::set_process_name("steward");
    // The signals stay blocked until the supervisor's loop takes them: none is lost on the way.
    if (oom_protected_) static_cast<void>(os::child::set_oom_score_adjust(oom_score_));
    // Only the keeper may hold the sending end: its closing tells of the keeper's death.
    notices_.write.reset();
    {
        log::EventLog events(options_.sink, options_.event_log);
        events.tell_of_missing_memory();
        auto supervisor = Supervisor::create(assignments_, {.keeper = self_,
                                                            .exit_notices = notices_.read,
                                                            .start_report = std::move(options_.start_report),
                                                            .events = &events,
                                                            .order = options_.order,
                                                            .notify_socket = options_.notify_socket,
                                                            .strangers = strangers_,
                                                            .successor = &successor_});
        if (!supervisor) {
            events.error(name(), supervisor.error().message());
            return supervisor_failed;
        }
        const auto outcome = (*supervisor)->run();
        if (!outcome) {
            events.error(name(), outcome.error().message());
            return supervisor_failed;
        }
        if (*outcome == Supervisor::Outcome::making_way) return make_way;
        const auto& runners = (*supervisor)->runners();
        if (std::ranges::all_of(runners, [](const auto& runner) { return runner->over(); })) return service_over;
        if (*outcome != Supervisor::Outcome::keeper_lost) return supervisor_failed;
        events.warning(name(), "the keeper has died: PID " + std::to_string(os::self_pid()) + " takes its place");
    }
    return replace_keeper();
}

// The supervisor is gone with all its descriptors; lease, control socket and directory are all that the next keeper needs.
int Keeper::replace_keeper()
{
    notices_.read.reset();
    supervisor_.reset();
    for (Assignment* assignment : assignments_) assignment->adopt = true;
    KeeperOptions options{.start_report = {}, .event_log = options_.event_log, .sink = options_.sink, .order = options_.order};
    return Keeper(assignments_, options, true).run();
}

}  // namespace

int keep(Assignment& assignment, KeeperOptions options) noexcept
{
    const std::vector<Assignment*> assignments{&assignment};
    return Keeper(assignments, options).run();
}

int keep_on(Assignment& assignment, KeeperOptions options) noexcept
{
    const std::vector<Assignment*> assignments{&assignment};
    return Keeper(assignments, options, true).run();
}

Result<std::optional<ExitStatus>> keep_all(const std::vector<Assignment*>& assignments, KeeperOptions options) noexcept
{
    for (Assignment* assignment : assignments) assignment->by_policy = true;
    Keeper keeper(assignments, options);
    if (keeper.run() == service_over) return keeper.last_exit();
    return fail(Error{.code = ErrorCode::failed,
                      .operation = "run",
                      .object = assignments.front()->spec.name,
                      .cause = "its supervisor could not be started"});
}

}  // namespace steward::supervise
