// One run of a stop or reload command: launched by its plan, watched on the loop, killed with its children when its time is over.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "os/event_loop.hpp"
#include "os/process.hpp"
#include "process/launch_plan.hpp"

namespace steward::supervise {

// Lives until it is destroyed, which kills what still runs and may be done from `done`. The command is this process's child: whoever
// reaps children in bulk tells it by ended(), and reaps what was killed.
class CommandRun {
  public:
    struct Outcome {
        bool timed_out = false;
        std::optional<ExitStatus> exit;  // unset when it timed out
        [[nodiscard]] bool succeeded() const { return exit && exit->known && !exit->signalled && exit->code == 0; }
    };
    using Done = std::function<void(const Outcome&)>;

    // Without a time-out, whoever started it calls end().
    static Result<std::unique_ptr<CommandRun>> start(os::EventLoop& loop, const process::LaunchPlan& plan, std::optional<Duration> timeout,
                                                     Done done);
    ~CommandRun();
    CommandRun(const CommandRun&) = delete;
    CommandRun& operator=(const CommandRun&) = delete;

    [[nodiscard]] std::int32_t pid() const { return process_.pid(); }
    [[nodiscard]] const os::ProcessIdentity& identity() const { return process_.identity(); }
    [[nodiscard]] bool finished() const { return finished_; }
    void ended(const ExitStatus& status);  // by a bulk reaper; `done` is called from here
    void end();                            // SIGKILL; `done` is called when it is gone

  private:
    CommandRun(os::EventLoop& loop, os::ProcessRef process, Done done);
    void send_kill() const;
    void kill();
    void timed_out();
    void process_gone();
    void finish(const Outcome& outcome);

    os::EventLoop& loop_;
    os::ProcessRef process_;
    Done done_;
    os::EventLoop::Id exit_watch_ = 0;
    os::EventLoop::Id timer_ = 0;
    bool finished_ = false;
};

}  // namespace steward::supervise
