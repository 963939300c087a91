// Whether a service that is ready still works, by [health]: asked again and again, or told by the service itself.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <steward/service_spec.hpp>

#include "os/event_loop.hpp"
#include "process/launch_plan.hpp"
#include "supervise/probe.hpp"

namespace steward::supervise {

class HealthCheck {
  public:
    struct Context {
        os::EventLoop& loop;
        const ServiceSpec::Health& rules;  // lent
        Duration interval;                 // the service may have asked for another one than its rules
        unsigned failures = 0;             // in a row, as a predecessor has counted them
        os::MonotonicClock::time_point counts_from;
        std::function<process::LaunchPlan()> command;  // with rules.command: as it is to be run now
    };
    struct Answer {
        bool good = true;
        bool over = false;  // so many failures that the service is to be ended
        unsigned failures = 0;
        std::string why;  // not good
    };
    // Called from the loop with each answer that counts; may destroy this.
    using Told = std::function<void(const Answer&)>;

    // The first question is asked at once.
    HealthCheck(Context context, Told told);
    ~HealthCheck();
    HealthCheck(const HealthCheck&) = delete;
    HealthCheck& operator=(const HealthCheck&) = delete;

    // With rules.watchdog: the service has said that it works, or that it does not, or how often it will say so.
    void said_alive();
    void said_failing();
    void set_interval(Duration interval);
    // For a bulk reaper: true when `pid` was a command of this.
    bool command_ended(std::int32_t pid, const ExitStatus& status);

  private:
    void ask();
    void answered(const std::optional<std::string>& failure);
    void await_word();
    void next(Duration delay, void (HealthCheck::*what)());
    void overdue();

    Context context_;
    Told told_;
    std::optional<process::LaunchPlan> command_;
    std::unique_ptr<Probe> probe_;
    os::EventLoop::Id timer_ = 0;
};

}  // namespace steward::supervise
