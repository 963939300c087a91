// One service under a supervisor: launches it, watches it, restarts it by its policy, stops it.
//
//                 launch                settled                 stop
//   (begin) ───────────────▶ starting ───────────▶ running ───────────────▶ stopping ──▶ stopped
//      │ adopt                  │ ended                │ ended                  │ survivors
//      └──────────────────▶     ▼                      ▼                        ▼
//         as recorded       [first start: failed]   leftovers are killed      running
//                               │ policy               │ policy
//                               ▼                      ▼
//                          backing-off ◀───────────────┤
//                               │ delay                └──▶ finished (clean end), failed (else, or given up)
//                               └──▶ starting
//
// Every state is on disk before it is acted upon, so that the next supervisor can carry on from any point. stopped, finished and failed are
// final here: the runner is over, and its supervisor ends with the last of its runners.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <steward/manager.hpp>

#include "log/event_log.hpp"
#include "os/event_loop.hpp"
#include "supervise/assignment.hpp"
#include "supervise/members.hpp"
#include "supervise/message.hpp"
#include "supervise/output.hpp"
#include "supervise/restart_policy.hpp"
#include "supervise/settle.hpp"
#include "supervise/stop_sequence.hpp"

namespace steward::supervise {

// What a runner needs of the supervisor it lives in.
struct RunnerHost {
    os::EventLoop& loop;
    log::EventLog& events;
    os::ProcessIdentity keeper;       // none in the foreground
    os::ProcessIdentity supervisor;
    std::int32_t tree_root = 0;       // see Membership; 0 when several services share the supervisor
    std::function<void()> collect;    // reaps and delivers what has ended, now
    std::function<void()> one_over;   // a runner is over
};

class ServiceRunner {
  public:
    using Answer = std::function<void(const Reply&)>;

    // `assignment` is lent for the runner's life.
    ServiceRunner(RunnerHost& host, Assignment& assignment);
    ~ServiceRunner();
    ServiceRunner(const ServiceRunner&) = delete;
    ServiceRunner& operator=(const ServiceRunner&) = delete;

    // Launches, or carries on from the record where the assignment says so. `first`: told when the first launch is up or has failed;
    // then a program that dies at once is a failed start. Without it the restart policy decides from the beginning.
    void begin(Answer first);

    void stop(Answer answer);  // the answer may be empty
    void hurry();
    void reload(Answer answer);
    void wait_started(Answer answer);
    void pass_on(int signal);
    // A child of this process, or one that the keeper reaped, has ended; true when it was this runner's.
    bool child_ended(std::int32_t pid, const ExitStatus& status);

    [[nodiscard]] bool over() const { return over_; }
    [[nodiscard]] const std::string& name() const { return assignment_.spec.name; }
    [[nodiscard]] bool stopped_on_request() const { return state_.state == ServiceState::stopped; }
    [[nodiscard]] const std::optional<ExitStatus>& last_exit() const { return state_.last_exit; }
    [[nodiscard]] os::BorrowedFd control() const { return assignment_.control; }

  private:
    void launch_first(Answer first);
    void adopt(Answer first);
    void adopt_later(Answer first, const Error& error);
    void launch();
    Result<void> try_launch();
    void launch_failed(const Error& error);
    void settled();
    void adopt_main(os::ProcessRef main);
    void watch_foreign_main();
    void ask_for_exit(os::MonotonicClock::time_point until);
    void main_ended(const ExitStatus& status);
    void kill_leftovers();
    void after_end();
    void back_off(const RestartDecision& decision);
    void begin_stop();
    void run_reload_command(Answer answer);
    void stop_done(const StopReport& report);
    void fail_start(Error error);
    void finish(ServiceState state, std::string reason);
    void set_state(ServiceState state);
    void write_state();
    void answer_all(std::vector<Answer>& answers, const Reply& reply);
    [[nodiscard]] Membership membership() const;
    [[nodiscard]] StopSequence::FindMembers finder() const;
    [[nodiscard]] Reply started_reply() const;
    [[nodiscard]] Error survivors_error(const StopReport& report) const;

    RunnerHost& host_;
    Assignment& assignment_;
    record::State state_;
    std::optional<os::Cgroup> cgroup_;
    std::optional<os::ProcessRef> main_;
    bool main_running_ = false;  // main_ stays, for its number, after its end
    std::int32_t main_pending_ = 0;  // a recorded main process that ended unseen: its status may still come
    std::optional<Output> output_;
    RestartHistory history_;
    os::MonotonicClock::time_point launched_at_;
    std::unique_ptr<SettleWatch> settle_;
    std::unique_ptr<StopSequence> stop_;
    std::unique_ptr<StopSequence> finished_stop_;  // kept until its callback has returned
    std::unique_ptr<CommandRun> reload_;
    os::EventLoop::Id restart_timer_ = 0;
    os::EventLoop::Id main_watch_ = 0;
    bool first_start_ = false;  // nobody has been told yet that it is up
    bool over_ = false;
    std::vector<Answer> start_answers_;
    std::vector<Answer> stop_answers_;
    std::vector<Answer> stopped_answers_;  // of a stop that has succeeded: told when the record says so
    bool killed_ = false;
};

}  // namespace steward::supervise
