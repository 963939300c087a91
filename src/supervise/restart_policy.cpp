#include "supervise/restart_policy.hpp"

#include <algorithm>
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
    // Grown step by step and only up to the ceiling: the thousandth attempt is as capped as the tenth, and nothing wraps.
    const auto ceiling = static_cast<double>(std::max(rules.max_delay, rules.delay).count());
    auto capped = static_cast<double>(rules.delay.count());
    for (unsigned i = 0; i < attempts && capped > 0 && capped < ceiling && rules.factor > 1; ++i) capped *= rules.factor;
    capped = std::min(capped, ceiling);
    // At the ceiling the jitter only shortens: max-delay is never exceeded, and no herd gathers there.
    const double shortest = capped * (1 - std::min(rules.jitter, 1.0));
    const double longest = std::min(capped * (1 + rules.jitter), ceiling);
    return Duration(static_cast<Duration::rep>(shortest + (longest - shortest) * random));
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
