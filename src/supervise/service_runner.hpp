// One service under a supervisor: launches it, waits until it is ready, watches it, restarts it by its policy, stops it.
//
//                 launch                 ready                  stop
//   (begin) ───────────────▶ starting ───────────▶ running ───────────────▶ stopping ──▶ stopped
//      │ adopt                  │ ended, or            │ ended                  │ ▲
//      └──────────────────▶     │ not ready in time    ▼                        ▼ │ looked at again
//         as recorded           ▼                  leftovers are killed      survivors
//                        what runs is ended            │
//                               │ first start: failed  │
//                               │ else: policy         │ policy
//                               ▼                      ▼
//                          backing-off ◀───────────────┤
//                               │ delay, start         └──▶ finished (clean end), failed (else, or given up)
//                               └──▶ starting
//
// Executed, ready and healthy are three things. A service is `starting` from its launch until it is ready, by [ready] or, where that says
// nothing, by its type: simple when it first waits for something, forking when its parent has ended and the process that stays is
// known, oneshot when it has ended, which is why a oneshot goes from starting to finished and is never running.
//
// Every state is on disk before it is acted upon, so that the next supervisor can carry on from any point: it finds out anew whether a
// service that was starting is ready, with what is left of its time. stopped, finished and failed are final here: the runner is over, and
// its supervisor ends with the last of its runners.
//
// What the service says by sd_notify(3) changes the same states: READY and RELOADING between running and reloading, STOPPING to stopping.
// [health] ends one that is running and does not work, and its policy restarts it.
//
// [hooks] are run on the way: pre-start in starting before the launch, post-start in starting when it is ready, pre-stop in stopping before
// anything is ended, post-stop, on-failure and on-give-up in stopping when nothing is left. Where a hook was when a supervisor died follows
// from the state alone, and the next one runs it again.
//
// service_launch.cpp starts, service_ready.cpp waits, service_notify.cpp hears, service_health.cpp asks, service_adopt.cpp carries on,
// service_end.cpp ends, service_hooks.cpp runs hooks; service_runner.cpp answers requests and writes the record.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <steward/manager.hpp>

#include "log/event_log.hpp"
#include "os/event_loop.hpp"
#include "os/notify.hpp"
#include "process/launcher.hpp"
#include "supervise/assignment.hpp"
#include "supervise/forked_main.hpp"
#include "supervise/health.hpp"
#include "supervise/members.hpp"
#include "supervise/message.hpp"
#include "supervise/notification.hpp"
#include "supervise/readiness.hpp"
#include "supervise/restart_policy.hpp"
#include "supervise/service_output.hpp"
#include "supervise/stop_sequence.hpp"

namespace steward::supervise {

class ServiceRunner;

// What a runner needs of the supervisor it lives in.
struct RunnerHost {
    os::EventLoop& loop;
    log::EventLog& events;
    os::ProcessIdentity keeper;  // none in the foreground
    os::ProcessIdentity supervisor;
    std::int32_t tree_root = 0;  // see Membership; 0 when several services share the supervisor
    std::vector<os::ProcessIdentity> strangers;
    std::function<void()> collect;                    // reaps and delivers what has ended, now
    std::function<void(std::size_t place)> one_over;  // a runner is over
    std::function<void(std::size_t place)> state_changed = {};
    // Whose main processes this one's children are, as far as it has launched them: among thousands nobody is to be searched for.
    std::unordered_map<std::int32_t, std::size_t> places = {};
    LabelledTerminal* terminal = nullptr;  // where several services show their output
};

class ServiceRunner {
  public:
    using Answer = std::function<void(const Reply&)>;

    // `assignment` is lent for the runner's life. `place`: among those of its host.
    ServiceRunner(RunnerHost& host, Assignment& assignment, std::size_t place);
    ~ServiceRunner();
    ServiceRunner(const ServiceRunner&) = delete;
    ServiceRunner& operator=(const ServiceRunner&) = delete;

    // Launches, or carries on from the record where the assignment says so. `first`: told when the first launch is up or has failed;
    // then a program that dies at once is a failed start. Without it the restart policy decides from the beginning.
    void begin(Answer first);

    // Instead of begin(): it failed before it began.
    void refuse(std::string reason) { finish(ServiceState::failed, std::move(reason)); }

    void start(Answer answer);  // see Request::start
    void stop(Answer answer);   // the answer may be empty
    void hurry();
    void reload(Answer answer);
    void rotate_logs(const Answer& answer);
    void reopen_logs(const Answer& answer);
    // The sockets, for whoever starts it anew when it has been stopped: their files stay.
    [[nodiscard]] std::vector<os::BorrowedFd> lend_sockets();
    void hang_up();  // SIGHUP: logs that somebody has renamed are made anew, and the service is reloaded where there is a way
    void pass_on(int signal);
    // A child of this process, or one that the keeper reaped, has ended; true when it was this runner's.
    bool child_ended(std::int32_t pid, const ExitStatus& status);
    // Once it is over: lease and control socket are given up before the supervisor ends. Whether they were still there.
    bool release();
    [[nodiscard]] bool begun() const { return begun_; }
    // Whether a supervisor before this one had begun with it, so that there is something to carry on from.
    [[nodiscard]] bool was_begun_before() const;

    [[nodiscard]] bool over() const { return over_; }
    [[nodiscard]] const std::string& name() const { return assignment_.spec.name; }
    [[nodiscard]] bool up() const { return state_.state == ServiceState::running || state_.state == ServiceState::reloading; }
    // Nothing is under way with it, and nobody waits for an answer.
    [[nodiscard]] bool at_rest() const;
    [[nodiscard]] bool runs_hook() const { return hook_ != nullptr; }
    [[nodiscard]] bool stop_requested() const { return state_.stop_requested; }
    [[nodiscard]] bool ended_well() const { return state_.state == ServiceState::finished; }
    // "web: backing-off, it was not ready after 90 s"
    [[nodiscard]] std::string state_text() const;
    // How it ended by itself, once it is over; unset when it was stopped. A failure without an end of its program that is known (a hook's,
    // or of a launch that came to nothing) is told as exit code 1.
    [[nodiscard]] std::optional<ExitStatus> own_end() const;
    [[nodiscard]] os::BorrowedFd control() const { return assignment_.control; }

  private:
    static constexpr unsigned told_lines = 10;
    using AfterEnd = std::function<void(const StopReport&)>;
    using AfterHook = std::function<void(const HookRun::Failure&)>;

    void launch_first(Answer first);
    void launch();
    void launch_program();
    Result<void> try_launch();
    Result<void> open_cgroup();
    void close_cgroup();
    Result<process::Launched> launch_recorded(record::ServiceDirectory& directory);
    void launch_failed(const Error& error);
    void launch_later();
    void fail_start(Error error);
    Result<void> lend_mailbox();

    void launched();
    void await_fork();
    void parent_ended(const ExitStatus& status);
    void fork_found(Result<os::ProcessRef> main);
    [[nodiscard]] bool may_be_main(std::int32_t pid) const;
    [[nodiscard]] bool anybody_left() const;
    void await_ready();
    void became_ready();
    void now_running();
    void limit_start();
    void start_overdue();
    void end_by_fault(record::State::Fault fault, std::string reason);
    void stop_waiting();
    [[nodiscard]] bool is(ServiceType type) const { return assignment_.spec.service.type == type; }

    void listen();
    void hear();
    void forget_words();
    void heed(const os::Notification& message);
    void ignore(const os::Notification& message, const std::string& why);
    void obey(const Said& said);
    void said_ready();
    void said_stopping();
    void await_own_end();
    [[nodiscard]] bool follow(std::int32_t pid);
    void take_as_main();

    void watch_health();
    void health_answered(const HealthCheck::Answer& answer);

    void adopt(Answer first);
    void try_to_adopt();
    void carry_on(const record::State& before, const std::optional<os::ProcessIdentity>& main);
    void adopt_main(os::ProcessRef main);
    void adopt_starting();
    void take_over_sockets();
    bool recover_mailbox();
    void await_unseen_exit(const os::ProcessIdentity& main, ServiceState before);
    void resume_back_off();
    void watch_foreign_main();
    void ask_for_exit(os::MonotonicClock::time_point until);

    void main_gone(const ExitStatus& status);
    void main_ended(const ExitStatus& status);
    void kill_leftovers();
    void leftovers_killed(const StopReport& report);
    void after_end();
    void settle_end();
    void follow(const RestartDecision& decision, const std::string& why);
    void start_by_hand();
    void back_off(const RestartDecision& decision);
    void begin_stop();
    void end_as_asked();
    void stop_done(const StopReport& report);
    void look_at_survivors();
    void end_processes(StopSequence::Plan plan, AfterEnd then);
    void sequence_done(const StopReport& report);
    void conclude();
    void finish(ServiceState state, std::string reason);
    [[nodiscard]] bool exit_is_awaited() const;
    [[nodiscard]] bool killed_for_memory(const ExitStatus& exit) const;
    [[nodiscard]] std::string end_text(const ExitStatus& exit) const;
    [[nodiscard]] Error early_exit();

    void run_hook(Hook hook, AfterHook then);
    void run_last_hook(Hook hook, std::function<void()> then);
    void run_post_stop(std::function<void()> then);
    void hook_started(const os::ProcessIdentity& command);
    void drop_start_hook();
    void end_lost_hook();
    void run_pre_start();
    Result<void> open_for_launch();
    void launch_over_remains();

    void tend_logs(const char* operation, Result<void> (ServiceOutput::*deed)(), const Answer& answer);
    void run_reload_command(const Answer& answer);
    [[nodiscard]] process::LaunchPlan command_plan(const process::LaunchPlan& plan) const;
    void tell_trouble(const Error& error);
    void set_state(ServiceState state);
    Result<void> write_state();
    Result<void> write_pid_file() const;
    void remove_pid_file(std::int32_t pid) const;
    void tell_later(os::EventLoop::Id& timer, Duration delay, void (ServiceRunner::*what)());
    void answer_all(std::vector<Answer>& answers, const Reply& reply);
    [[nodiscard]] Error error(ErrorCode code, const char* operation, std::string cause) const;
    [[nodiscard]] Membership membership() const;
    [[nodiscard]] Reply started_reply() const;

    RunnerHost& host_;
    Assignment& assignment_;
    std::size_t place_;
    record::State state_;
    std::optional<os::Cgroup> cgroup_;
    std::uint64_t memory_kills_ = 0;      // by the kernel, in the run that is over
    std::optional<os::ProcessRef> main_;  // stays after its end, for its number, until the leftovers are gone
    // A recorded main process that ended unseen: its status may still come.
    std::int32_t unseen_ = 0;
    ServiceOutput output_;
    os::MonotonicClock::time_point launched_at_;
    bool forking_ = false;  // the launched process is not the one that stays
    std::unique_ptr<ForkedMain> forked_;
    std::unique_ptr<ReadyWatch> ready_;
    os::UniqueFd program_mailbox_;
    std::unique_ptr<HealthCheck> health_;
    os::EventLoop::Id start_limit_ = 0;
    os::EventLoop::Id stopping_limit_ = 0;  // it has said that it is stopping
    os::EventLoop::Id notify_watch_ = 0;
    std::unique_ptr<HookRun> hook_;
    std::unique_ptr<StopSequence> stop_;
    std::optional<StopReport> stop_report_;  // stop_ is done, the main process's exit is awaited
    AfterEnd after_stop_;
    std::unique_ptr<CommandRun> reload_;
    os::EventLoop::Id next_step_ = 0;  // a restart, or another look at survivors
    os::EventLoop::Id main_watch_ = 0;
    std::vector<std::string> told_;  // troubles that the event log has heard of since it last ran
    std::vector<Answer> start_answers_;
    std::vector<Answer> stop_answers_;
    unsigned ignored_ = 0;  // messages on the notify socket
    bool descriptors_refused_ = false;
    bool main_running_ = false;
    bool unseen_was_starting_ = false;
    bool first_start_ = false;  // nobody has been told yet that it is up
    bool shortage_ = false;     // the last launch came to nothing for want of descriptors, memory, …: not the service's failure
    bool start_now_ = false;    // somebody asked for a start while the last end was being dealt with
    bool begun_ = false;
    bool over_ = false;
    bool killed_ = false;
    bool sockets_lent_ = false;
    bool hurried_ = false;
    bool post_stop_due_ = true;  // since the last one something was launched, or was to be
};

}  // namespace steward::supervise
