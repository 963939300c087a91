#include "supervise/stop_sequence.hpp"

#include <algorithm>
#include <csignal>

#include "os/shortage.hpp"

namespace steward::supervise {

namespace {
constexpr std::chrono::milliseconds search_pause{1};
constexpr std::chrono::milliseconds shortage_pause{200};
}  // namespace

StopSequence::StopSequence(os::EventLoop& loop, Plan plan, const os::ProcessRef* main, FindMembers find, Done done)
    : loop_(loop), plan_(std::move(plan)), main_(main), find_(std::move(find)), done_(std::move(done))
{
}

StopSequence::~StopSequence()
{
    for (const auto& watched : watched_) loop_.cancel(watched.watch);
    loop_.cancel(timer_);
    loop_.cancel(next_round_);
}

void StopSequence::begin()
{
    if (plan_.kill_at_once) return kill();
    deadline(plan_.rules.timeout, &StopSequence::kill);
    if (plan_.command && main_alive()) return run_command();
    ask();
}

void StopSequence::hurry()
{
    if (phase_ == Phase::command || phase_ == Phase::asked) kill();
}

void StopSequence::run_command()
{
    auto run =
        CommandRun::start(loop_, *plan_.command, std::nullopt, [this](const CommandRun::Outcome& outcome) { command_done(outcome); });
    if (!run) return ask();
    command_ = std::move(*run);
}

bool StopSequence::command_ended(std::int32_t pid, const ExitStatus& status)
{
    if (command_ == nullptr || command_->pid() != pid) return false;
    command_->ended(status);
    return true;
}

void StopSequence::command_done(const CommandRun::Outcome& outcome)
{
    // command_ is not destroyed here: this runs inside one of its callbacks.
    if (phase_ == Phase::killing) return round();
    if (phase_ != Phase::command) return;
    if (!outcome.succeeded()) return ask();
    phase_ = Phase::asked;
    round();
}

void StopSequence::ask()
{
    phase_ = Phase::asked;
    ask_members_ = plan_.rules.mode == StopMode::group;
    if (!ask_members_ && main_alive()) send(*main_, plan_.rules.signal);
    round();
}

void StopSequence::kill()
{
    if (command_ != nullptr) command_->end();
    report_.killed = !plan_.kill_at_once;
    start_killing();
    round();
}

void StopSequence::start_killing()
{
    phase_ = Phase::killing;
    deadline(plan_.kill_timeout, &StopSequence::give_up);
}

// Looks for members, signals and watches those that are new, and ends when there are none.
void StopSequence::round()
{
    loop_.cancel(next_round_);
    next_round_ = 0;
    if (plan_.rules.mode == StopMode::main) {
        if (!main_alive()) return all_gone();
        treat(main_->identity());
        return look_again();
    }
    auto members = find_();
    if (!members) {
        report_.error = members.error();
        return os::is_shortage(report_.error->os_errno) ? look_again() : finish();
    }
    if (phase_ == Phase::asked && !main_alive()) {
        if (plan_.rules.mode == StopMode::mixed && !members->empty()) start_killing();
        // After a stop command only the main process was meant to go by itself.
        if (plan_.rules.mode == StopMode::group) ask_members_ = true;
    }
    if (phase_ == Phase::asked && plan_.rules.mode == StopMode::mixed && main_alive()) {
        treat(main_->identity());
        return look_again();
    }
    if (members->empty()) return all_gone();
    if (phase_ == Phase::killing && plan_.cgroup != nullptr) static_cast<void>(plan_.cgroup->kill());
    for (const auto& member : *members) treat(member);
    look_again();
}

// Where nobody is being watched: all went between the search and the watch, or they could not be looked for.
void StopSequence::look_again()
{
    if (!watched_.empty()) return;
    const bool shortage = report_.error && os::is_shortage(report_.error->os_errno);
    next_round_ = loop_.after(shortage ? shortage_pause : search_pause, [this] { round(); });
    // Without a descriptor to look through, the main process can be signalled all the same: it is held already.
    if (shortage && main_alive() && (phase_ == Phase::killing || !main_asked_)) {
        send(*main_, phase_ == Phase::killing ? SIGKILL : plan_.rules.signal);
        main_asked_ = true;
    }
}

void StopSequence::treat(const os::ProcessIdentity& member)
{
    const auto known = std::find_if(watched_.begin(), watched_.end(), [&](const Watched& watched) {
        return watched.process.pid() == member.pid && watched.process.identity().start_time == member.start_time;
    });
    if (known != watched_.end()) return act_on(*known);
    auto process = os::ProcessRef::open(member);
    if (!process) report_.error = process.error();
    if (!process || !*process) return;
    watch({.process = std::move(**process)});
}

void StopSequence::act_on(Watched& member)
{
    if (phase_ == Phase::killing) return send(member.process, SIGKILL);
    if (!ask_members_ || member.asked) return;
    member.asked = true;
    send(member.process, plan_.rules.signal);
}

void StopSequence::send(const os::ProcessRef& member, int signal)
{
    const auto sent = member.signal(signal);
    if (!sent && sent.error().code != ErrorCode::not_running) report_.error = sent.error();
    // A stopped process takes SIGKILL, but nothing else, before it goes on.
    if (signal != SIGKILL) static_cast<void>(member.signal(SIGCONT));
}

void StopSequence::watch(Watched member)
{
    const bool is_main = main_ != nullptr && main_->pid() == member.process.pid();
    const auto place = watched_.insert(watched_.end(), std::move(member));
    auto id = loop_.on_exit(place->process, [this, place, is_main] {
        watched_.erase(place);
        if (watched_.empty() || is_main) round();
    });
    if (!id) {
        report_.error = id.error();
        watched_.erase(place);
        return;
    }
    place->watch = *id;
    act_on(*place);
}

bool StopSequence::main_alive() const
{
    if (main_ == nullptr) return false;
    const auto liveness = main_->liveness();
    return liveness && *liveness == os::Liveness::alive;
}

void StopSequence::deadline(Duration after, void (StopSequence::*action)())
{
    loop_.cancel(timer_);
    timer_ = loop_.after(after, [this, action] { (this->*action)(); });
}

void StopSequence::give_up()
{
    if (plan_.rules.mode == StopMode::main) {
        if (!main_alive()) return over();
        report_.survivors = {main_->identity()};
        return finish();
    }
    auto members = find_();
    if (members && members->empty()) return over();
    if (members) {
        report_.survivors = std::move(*members);
    } else {
        report_.error = members.error();
    }
    finish();
}

// A stop command that had to be killed is waited for as well.
void StopSequence::all_gone()
{
    if (command_ == nullptr || command_->finished()) over();
}

// Nobody is left: what could not be signalled on the way has gone all the same.
void StopSequence::over()
{
    report_.error.reset();
    finish();
}

void StopSequence::finish()
{
    if (phase_ == Phase::over) return;
    phase_ = Phase::over;
    for (const auto& watched : watched_) loop_.cancel(watched.watch);
    watched_.clear();
    loop_.cancel(timer_);
    loop_.cancel(next_round_);
    // From the loop, not from here: the caller may still be inside begin(), and may destroy this object in `done_`.
    next_round_ = loop_.after(Duration(0), [this] {
        const Done done = std::move(done_);
        const StopReport report = std::move(report_);
        done(report);
    });
}

Error stop_error(const std::string& name, const StopReport& report)
{
    if (report.survivors.empty()) return *report.error;
    const auto count = report.survivors.size();
    const bool denied = report.error && report.error->code == ErrorCode::not_permitted;
    Error error{.code = denied ? ErrorCode::not_permitted : ErrorCode::survivors,
                .operation = "stop",
                .object = name,
                .cause = std::to_string(count) + (count == 1 ? " process survived" : " processes survived") +
                         (report.error ? ": " + report.error->message() : " SIGKILL")};
    for (const auto& survivor : report.survivors) {
        const auto stat = os::read_stat(survivor.pid);
        const bool known = stat && *stat;
        error.detail.push_back("PID " + std::to_string(survivor.pid) +
                               (known ? " (" + (*stat)->command + "), state " + std::string(1, (*stat)->state) : ""));
    }
    return error;
}

Result<StopReport> stop_members(os::EventLoop& loop, StopSequence::Plan plan, const os::ProcessRef* main, const Membership& where)
{
    StopReport outcome;
    StopSequence sequence(
        loop, std::move(plan), main, [&] { return find_members(where); },
        [&](const StopReport& report) {
            outcome = report;
            loop.quit();
        });
    sequence.begin();
    if (auto ran = loop.run(); !ran) return fail(ran.error());
    return outcome;
}

Result<StopReport> stop_members(StopSequence::Plan plan, const os::ProcessRef* main, const Membership& where)
{
    auto loop = os::EventLoop::create();
    if (!loop) return fail(loop.error());
    return stop_members(*loop, std::move(plan), main, where);
}

}  // namespace steward::supervise
