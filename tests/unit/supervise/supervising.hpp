// What the tests of this folder share: programs that play the service, a loop with a deadline.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "helpers/programs.hpp"
#include "helpers/scratch.hpp"
#include "os/event_loop.hpp"
#include "os/process.hpp"
#include "process/launch_plan.hpp"
#include "process/launcher.hpp"

namespace steward::test {

using namespace std::chrono_literals;

// Only has to be long enough that passing it means "never".
inline constexpr std::chrono::seconds deadline{120};

inline std::string helper(const std::string& name)
{
    return program_for_everybody(STEWARD_HELPERS, name);
}

inline process::LaunchPlan plan_of(Argv argv)
{
    process::LaunchPlan plan;
    plan.service = "web";
    plan.program = argv.front();
    plan.argv = std::move(argv);
    plan.environment = {"PATH=/usr/bin:/bin"};
    return plan;
}

// One of tests/helpers, with its arguments.
inline process::LaunchPlan play(Argv words)
{
    words.front() = helper(words.front());
    return plan_of(std::move(words));
}

inline process::OptionalPlan as_optional(process::LaunchPlan plan)
{
    return std::make_shared<const process::LaunchPlan>(std::move(plan));
}

inline process::LaunchPlan shell(const std::string& script)
{
    return plan_of({"/bin/sh", "-c", script});
}

// Looks until it is true. False when the deadline passes first.
inline bool eventually(const std::function<bool()>& condition)
{
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

inline bool lives(const os::ProcessIdentity& identity)
{
    const auto process = os::ProcessRef::open(identity);
    if (!process || !*process) return false;
    const auto liveness = (*process)->liveness();
    return liveness && *liveness == os::Liveness::alive;
}

inline bool lives(std::int32_t pid)
{
    const auto process = os::ProcessRef::open_pid(pid);
    return process && *process && lives((*process)->identity());
}

// Kills and reaps all that is below the test, which must be a subreaper.
inline void end_everything_below()
{
    for (int round = 0; round < 1000; ++round) {
        auto below = os::process_tree(os::self_pid());
        std::erase(below, os::self_pid());
        if (below.empty()) return;
        for (const auto pid : below) ::kill(pid, SIGKILL);
        while (auto reaped = os::reap_any()) {
            if (!*reaped) break;
        }
        std::this_thread::sleep_for(1ms);
    }
}

// A launched child of the test, in a session of its own; killed with its group, and reaped, at the end of its life.
class Program {
  public:
    explicit Program(const process::LaunchPlan& plan)
    {
        auto launched = process::launch(plan);
        if (!launched) throw std::runtime_error(launched.error().message());
        process_ = std::move(launched->process);
    }
    ~Program()
    {
        if (!process_) return;
        static_cast<void>(process_->signal_group(SIGKILL));
        static_cast<void>(process_->signal(SIGKILL));
        static_cast<void>(os::reap_blocking(pid()));
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    [[nodiscard]] const os::ProcessRef& process() const { return *process_; }
    [[nodiscard]] std::int32_t pid() const { return process_->pid(); }
    [[nodiscard]] bool alive() const { return lives(process_->identity()); }
    // Its exit status, once it has ended.
    [[nodiscard]] ExitStatus wait()
    {
        const auto reaped = os::reap_blocking(pid());
        process_.reset();
        return reaped ? reaped->status : ExitStatus{.known = false};
    }

  private:
    std::optional<os::ProcessRef> process_;
};

// A loop of the test's own, which runs until something is so.
class Looping : public testing::Test {
  protected:
    Looping()
    {
        auto made = os::EventLoop::create();
        if (!made) throw std::runtime_error(made.error().message());
        loop_.emplace(std::move(*made));
    }

    [[nodiscard]] bool run_until(const std::function<bool()>& condition)
    {
        const auto end = os::MonotonicClock::now() + deadline;
        while (!condition()) {
            if (os::MonotonicClock::now() > end || !loop_->run_once(20ms)) return false;
        }
        return true;
    }

    ScratchDirectory scratch_;
    std::optional<os::EventLoop> loop_;
};

}  // namespace steward::test
