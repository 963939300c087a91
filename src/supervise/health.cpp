#include "supervise/health.hpp"

#include "supervise/readiness.hpp"

namespace steward::supervise {

HealthCheck::HealthCheck(Context context, Told told) : context_(std::move(context)), told_(std::move(told))
{
    if (context_.rules.watchdog) {
        await_word();
    } else {
        next(Duration::zero(), &HealthCheck::ask);
    }
}

HealthCheck::~HealthCheck()
{
    context_.loop.cancel(timer_);
}

void HealthCheck::next(Duration delay, void (HealthCheck::*what)())
{
    context_.loop.cancel(timer_);
    timer_ = context_.loop.after(delay, [this, what] {
        timer_ = 0;
        (this->*what)();
    });
}

bool HealthCheck::command_ended(std::int32_t pid, const ExitStatus& status)
{
    return probe_ != nullptr && probe_->command_ended(pid, status);
}

// ---- asked ---------------------------------------------------------------------------------------------------------------------------

void HealthCheck::ask()
{
    using Kind = ProbeTarget::Kind;
    const auto& rules = context_.rules;
    ProbeTarget target{.kind = Kind::tcp, .address = rules.tcp};
    if (!rules.http.empty()) target = {.kind = Kind::http, .address = rules.http};
    if (!rules.command.empty()) {
        command_ = context_.command();
        target = {.kind = Kind::command, .address = {}, .command = &*command_};
    }
    probe_ = Probe::start(context_.loop, target, rules.timeout, [this](const std::optional<std::string>& failure) { answered(failure); });
}

void HealthCheck::answered(const std::optional<std::string>& failure)
{
    const bool could_not_ask = probe_->could_not_ask();
    probe_.reset();
    next(context_.interval, &HealthCheck::ask);
    if (failure && (could_not_ask || os::MonotonicClock::now() < context_.counts_from)) return;
    context_.failures = failure ? context_.failures + 1 : 0;
    const Answer answer{
        .good = !failure, .over = context_.failures >= context_.rules.failures, .failures = context_.failures, .why = failure.value_or("")};
    const Told told = told_;
    told(answer);
}

// ---- told by itself ------------------------------------------------------------------------------------------------------------------

void HealthCheck::await_word()
{
    next(context_.interval, &HealthCheck::overdue);
}

void HealthCheck::overdue()
{
    const Told told = told_;
    told({.good = false, .over = true, .failures = 1, .why = "it has not said for " + limit_text(context_.interval) + " that it works"});
}

void HealthCheck::said_alive()
{
    if (!context_.rules.watchdog) return;
    await_word();
    const Told told = told_;
    told({.good = true});
}

void HealthCheck::said_failing()
{
    if (!context_.rules.watchdog) return;
    const Told told = told_;
    told({.good = false, .over = true, .failures = 1, .why = "it said so itself"});
}

void HealthCheck::set_interval(Duration interval)
{
    context_.interval = interval;
    if (context_.rules.watchdog) await_word();
}

}  // namespace steward::supervise
