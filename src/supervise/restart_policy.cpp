#include "supervise/restart_policy.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>

namespace steward::supervise {

namespace {

bool wants_restart(RestartPolicyKind policy, Ending ending)
{
    switch (policy) {
        case RestartPolicyKind::never: return false;
        case RestartPolicyKind::on_success: return ending == Ending::clean;
        case RestartPolicyKind::on_failure: return ending != Ending::clean;
        case RestartPolicyKind::on_abnormal: return ending == Ending::abnormal;
        case RestartPolicyKind::always: return true;
    }
    return false;
}

Duration back_off(const ServiceSpec::Restart& rules, unsigned attempts, double random)
{
    // Doubles saturate where integers would wrap: the thousandth attempt is as capped as the tenth.
    const auto base = static_cast<double>(rules.delay.count()) * std::pow(rules.factor, static_cast<double>(attempts));
    const auto ceiling = static_cast<double>(std::max(rules.max_delay, rules.delay).count());
    const double capped = std::min(base, ceiling);
    const double spread = capped * rules.jitter * (2 * random - 1);
    return Duration(static_cast<Duration::rep>(std::max(0.0, capped + spread)));
}

}  // namespace

Ending classify(const ExitStatus& exit, const ServiceSpec::Restart& rules)
{
    if (!exit.known) return Ending::failure;
    if (exit.signalled) {
        const bool gentle = exit.code == SIGHUP || exit.code == SIGINT || exit.code == SIGTERM || exit.code == SIGPIPE;
        return gentle ? Ending::clean : Ending::abnormal;
    }
    const auto& extra = rules.success_exit_codes;
    const bool clean = exit.code == 0 || std::find(extra.begin(), extra.end(), exit.code) != extra.end();
    return clean ? Ending::clean : Ending::failure;
}

RestartDecision decide(const ServiceSpec::Restart& rules, const ExitStatus& exit, Duration ran_for, RestartHistory history, double random)
{
    using Verdict = RestartDecision::Verdict;
    if (ran_for >= rules.window) history.attempts = 0;
    const Ending ending = classify(exit, rules);
    if (!wants_restart(rules.policy, ending)) {
        return {.verdict = ending == Ending::clean ? Verdict::finished : Verdict::failed, .delay = {}, .history = history};
    }
    if (rules.limit != 0 && history.attempts >= rules.limit) return {.verdict = Verdict::gave_up, .delay = {}, .history = history};
    const Duration delay = back_off(rules, history.attempts, random);
    ++history.attempts;
    return {.verdict = Verdict::restart, .delay = delay, .history = history};
}

}  // namespace steward::supervise
