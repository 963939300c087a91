// Ends a service, by [stop], until none of its processes is left: a sequence of actions with deadlines, waiting on process ends and never
// on a clock alone.
//
//   command (if any) ──ok──▶ wait ─────┐
//        │ failed, or none             │
//        ▼                             ├── timeout ──▶ KILL ──▶ wait ── kill_timeout ──▶ survivors
//   signal (group: all; mixed, main: ──┘
//           the main process)
//
// A round watches every member found; when all watched have ended, members are looked for again, because a dying process may have
// forked. The service is over when a search finds nobody. mode = main ends with the main process and leaves the others.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <steward/service_spec.hpp>

#include "os/event_loop.hpp"
#include "process/launch_plan.hpp"
#include "supervise/command_run.hpp"
#include "supervise/members.hpp"

namespace steward::supervise {

struct StopReport {
    bool killed = false;                         // SIGKILL was needed
    std::vector<os::ProcessIdentity> survivors;  // of SIGKILL
    std::optional<Error> error;                  // why a survivor could not be signalled, or that members could not be told
    [[nodiscard]] bool service_is_over() const { return survivors.empty() && !error; }
};

// What a stop is told as after which the service is not over: survivors with the PIDs of those, or the report's error.
[[nodiscard]] Error stop_error(const std::string& name, const StopReport& report);

class StopSequence {
  public:
    struct Plan {
        ServiceSpec::Stop rules;
        std::optional<process::LaunchPlan> command;  // with rules.command
        const os::Cgroup* cgroup = nullptr;          // lent; kills in one stroke what forks faster than it can be listed
        Duration kill_timeout = std::chrono::seconds(5);
        bool kill_at_once = false;  // leftovers of a dead main process: no manners
    };
    using FindMembers = std::function<Result<std::vector<os::ProcessIdentity>>()>;
    using Done = std::function<void(const StopReport&)>;

    // `main` may be null: only the members are ended then. All references are lent until `done`, which is called once, from the loop,
    // and may destroy this.
    StopSequence(os::EventLoop& loop, Plan plan, const os::ProcessRef* main, FindMembers find, Done done);
    ~StopSequence();
    StopSequence(const StopSequence&) = delete;
    StopSequence& operator=(const StopSequence&) = delete;

    void begin();
    void hurry();  // SIGKILL now: a second request to stop does not wait
    // For a bulk reaper: true when `pid` was this sequence's command.
    bool command_ended(std::int32_t pid, const ExitStatus& status);

  private:
    enum class Phase { command, asked, killing, over };

    void run_command();
    void command_done(const CommandRun::Outcome& outcome);
    void ask();
    void kill();
    void start_killing();
    void round();
    void look_again();
    struct Watched {
        os::ProcessRef process;
        bool asked = false;
        os::EventLoop::Id watch = 0;
    };
    void treat(const os::ProcessIdentity& member);
    void send(const os::ProcessRef& member, int signal);
    void watch(Watched member);
    void act_on(Watched& member);
    [[nodiscard]] bool main_alive() const;
    void deadline(Duration after, void (StopSequence::*action)());
    void give_up();
    void all_gone();
    void over();
    void finish();

    os::EventLoop& loop_;
    Plan plan_;
    const os::ProcessRef* main_;
    FindMembers find_;
    Done done_;
    Phase phase_ = Phase::command;
    StopReport report_;
    std::unique_ptr<CommandRun> command_;
    std::list<Watched> watched_;
    bool main_asked_ = false;   // while members could not be looked for
    bool ask_members_ = false;  // [stop] signal goes to every member, not to the main process alone
    os::EventLoop::Id timer_ = 0;
    os::EventLoop::Id next_round_ = 0;
};

// The same for a caller without a loop, or with one that does no more than this: blocks until it is done.
Result<StopReport> stop_members(os::EventLoop& loop, StopSequence::Plan plan, const os::ProcessRef* main, const Membership& where);
Result<StopReport> stop_members(StopSequence::Plan plan, const os::ProcessRef* main, const Membership& where);

}  // namespace steward::supervise
