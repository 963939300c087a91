#include "cli/deeds.hpp"

namespace steward::cli {

namespace {

std::string with_pid(const std::string& text, std::int64_t main_pid)
{
    return main_pid == 0 ? text : text + ", PID " + std::to_string(main_pid);
}

Deed started(const StartOutcome& outcome, bool waited)
{
    const std::int64_t pid = outcome.main_pid;
    if (outcome.adopted) return {"adopted", with_pid("was running, supervised again", pid), pid};
    if (outcome.already_running) return {"already_running", with_pid("already running", pid), pid};
    return {waited ? "started" : "starting", with_pid(waited ? "started" : "starting", pid), pid};
}

Deed restarted(const StartOutcome& outcome, bool waited)
{
    return {waited ? "restarted" : "restarting", with_pid(waited ? "restarted" : "restarting", outcome.main_pid), outcome.main_pid};
}

Deed stopped(const StopOutcome& outcome)
{
    if (!outcome.was_running) return {"was_not_running", "was not running"};
    if (outcome.killed) return {"killed", "stopped, by SIGKILL: it did not end in time"};
    return {"stopped", "stopped"};
}

}  // namespace

Result<Deed> do_deed(const Arguments& arguments, Manager& manager, const Target& target)
{
    const StartOptions options{.wait = arguments.wait, .timeout = arguments.timeout};
    const auto as_started = [&](const StartOutcome& outcome) { return started(outcome, options.wait); };
    const auto as_restarted = [&](const StartOutcome& outcome) { return restarted(outcome, options.wait); };
    switch (arguments.verb->id) {
        case VerbId::start: return manager.start(target, options).map(as_started);
        case VerbId::stop: return manager.stop(target).map(stopped);
        case VerbId::restart: return manager.restart(target, options).map(as_restarted);
        case VerbId::try_restart:
            return manager.try_restart(target, options).map([&](const std::optional<StartOutcome>& outcome) {
                return outcome ? as_restarted(*outcome) : Deed{"was_not_running", "was not running"};
            });
        case VerbId::reload: return manager.reload(target).map([] { return Deed{"reloaded", "reloaded"}; });
        case VerbId::force_reload: return manager.force_reload(target, options).map([] { return Deed{"reloaded", "reloaded"}; });
        default: break;
    }
    const int signal = arguments.signal.value_or(0);
    return manager.signal(target, signal).map([&] { return Deed{"signalled", "sent " + signal_name(signal)}; });
}

}  // namespace steward::cli
