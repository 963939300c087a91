// Hooks: commands that are run around the service's life, one after the other, each with a time-out.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <steward/manager.hpp>
#include <steward/service_spec.hpp>

#include "os/event_loop.hpp"
#include "process/launch_plan.hpp"
#include "supervise/command_run.hpp"

namespace steward::supervise {

enum class Hook : std::uint8_t { pre_start, post_start, pre_stop, post_stop, on_failure, on_give_up };
inline constexpr std::array every_hook{Hook::pre_start, Hook::post_start, Hook::pre_stop,
                                       Hook::post_stop, Hook::on_failure, Hook::on_give_up};
[[nodiscard]] std::string_view to_string(Hook hook);  // "pre-start"
[[nodiscard]] const std::vector<Argv>& commands_of(const ServiceSpec& spec, Hook hook);

using Commands = std::vector<process::LaunchPlan>;
// The commands of each hook.
class HookPlans {
  public:
    [[nodiscard]] const Commands& operator[](Hook hook) const { return plans_[static_cast<std::size_t>(hook)]; }
    void set(Hook hook, Commands commands) { plans_[static_cast<std::size_t>(hook)] = std::move(commands); }

  private:
    std::array<Commands, every_hook.size()> plans_;
};

// What a hook finds in its environment: STEWARD_NAME, STEWARD_EVENT, STEWARD_EXIT_CODE, STEWARD_SIGNAL, STEWARD_RESTARTS.
struct HookNews {
    std::string service;
    std::optional<ExitStatus> last_exit;
    std::uint64_t restarts = 0;
};
void tell(process::LaunchPlan& command, Hook hook, const HookNews& news);

// One run of a hook. Its commands, each in a session of its own, die with this process: who takes its place runs the hook again.
class HookRun {
  public:
    // Unset: every command succeeded. Else why not: "its pre-start hook '/usr/bin/x' ended with exit code 1".
    using Failure = std::optional<std::string>;
    using Done = std::function<void(const Failure&)>;
    // Both may be empty.
    struct Told {
        std::function<void(const os::ProcessIdentity&)> started;  // a command
        std::function<void(const Error&)> trouble;  // no process or no memory to spare: what could not be started for that is tried again
    };

    // `done` is called once, from the loop, and may destroy this.
    HookRun(os::EventLoop& loop, Hook hook, Commands commands, Duration timeout, Done done, Told told = {});
    ~HookRun();  // kills the command that runs
    HookRun(const HookRun&) = delete;
    HookRun& operator=(const HookRun&) = delete;

    [[nodiscard]] Hook hook() const { return hook_; }
    void end();  // kills the command that runs and leaves out the others
    // For a bulk reaper: true when `pid` was a command of this.
    bool command_ended(std::int32_t pid, const ExitStatus& status);

  private:
    void next();
    void command_done(const CommandRun::Outcome& outcome);
    void finish(const Failure& failure);

    os::EventLoop& loop_;
    Hook hook_;
    Commands commands_;
    Duration timeout_;
    Done done_;
    Told told_;
    std::size_t at_ = 0;
    std::unique_ptr<CommandRun> run_;
    os::EventLoop::Id timer_ = 0;
};

// The same for a caller without a loop: blocks until it is done.
Result<HookRun::Failure> run_hook(Hook hook, Commands commands, Duration timeout);

}  // namespace steward::supervise
