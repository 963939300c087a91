// ServiceRunner: whether a service that is ready still works.
#include <algorithm>

#include "supervise/service_runner.hpp"

namespace steward::supervise {

void ServiceRunner::watch_health()
{
    const auto& rules = assignment_.spec.health;
    if (!rules.is_asked()) return;
    // What is left of the grace that began when it became ready; the wall clock may have jumped.
    const auto now = std::chrono::system_clock::now();
    const auto counts_from = state_.ready_since.value_or(now) + rules.grace;
    const auto grace = std::clamp(std::chrono::duration_cast<Duration>(counts_from - now), Duration::zero(), rules.grace);
    const bool own_interval = rules.watchdog && state_.watchdog_interval > 0;
    health_ =
        std::make_unique<HealthCheck>(HealthCheck::Context{.loop = host_.loop,
                                                           .rules = rules,
                                                           .interval = own_interval ? Duration(state_.watchdog_interval) : rules.interval,
                                                           .failures = state_.health_failures,
                                                           .counts_from = os::MonotonicClock::now() + grace,
                                                           .command = [this] { return command_plan(*assignment_.health_command); }},
                                      [this](const HealthCheck::Answer& answer) { health_answered(answer); });
}

void ServiceRunner::health_answered(const HealthCheck::Answer& answer)
{
    using Health = record::State::Health;
    const Health health = answer.good ? Health::good : Health::failing;
    if (health != state_.health || answer.failures != state_.health_failures) {
        if (health == Health::failing) host_.events.warning(name(), "unhealthy: " + answer.why);
        if (health == Health::good && state_.health == Health::failing) host_.events.info(name(), "healthy again");
        state_.health = health;
        state_.health_failures = answer.failures;
        static_cast<void>(write_state());
    }
    if (!answer.over) return;
    const std::string count = answer.failures > 1 ? std::to_string(answer.failures) + " times in a row" : "";
    end_by_fault(record::State::Fault::unhealthy, "it was unhealthy" + (count.empty() ? "" : " " + count) + ": " + answer.why);
}

}  // namespace steward::supervise
