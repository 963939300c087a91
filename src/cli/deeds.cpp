#include "cli/deeds.hpp"

#include <steward/package_policy.hpp>

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

// Of all services, those in the foreground are somebody else's to start again.
Result<Deed> replaced(const Result<bool>& outcome, bool all)
{
    if (!outcome && all && outcome.error().code == ErrorCode::unsupported)
        return Deed{"in_foreground", "left as it is: it runs in the foreground"};
    if (!outcome) return fail(outcome.error());
    return *outcome ? Deed{"replaced", "supervised by the installed program now"} : Deed{"was_not_supervised", "nothing to replace"};
}

std::string why(Role role, const std::string& of)
{
    switch (role) {
        case Role::asked: break;
        case Role::required: return "required by " + of;
        case Role::wanted: return "wanted by " + of;
        case Role::dependent: return "requires " + of;
    }
    return {};
}

Deed brought_in(Deed deed, std::string because)
{
    if (!because.empty()) deed.text += " (" + because + ")";
    deed.because = std::move(because);
    return deed;
}

// What policy-rc.d is asked; empty: nothing.
std::string action_of(VerbId verb)
{
    switch (verb) {
        case VerbId::start:
        case VerbId::install: return "start";
        case VerbId::stop:
        case VerbId::uninstall: return "stop";
        case VerbId::restart:
        case VerbId::try_restart:
        case VerbId::force_reload: return "restart";
        case VerbId::reload: return "reload";
        default: return {};
    }
}

}  // namespace

std::optional<Deed> left_undone(const Arguments& arguments, const std::string& service)
{
    const std::string action = action_of(arguments.verb->id);
    const auto objection = arguments.here || action.empty() ? std::nullopt : objection_to(action, service);
    if (!objection) return std::nullopt;
    return Deed{"left_by_policy", "left as it is, no " + action + ": " + *objection};
}

Result<Deed> deed_of(const StartPart& part, bool waited)
{
    return part.outcome.map([&](const StartOutcome& outcome) { return brought_in(started(outcome, waited), why(part.role, part.of)); });
}

Result<Deed> deed_of(const StopPart& part)
{
    return part.outcome.map([&](const StopOutcome& outcome) { return brought_in(stopped(outcome), why(part.role, part.of)); });
}

Result<Deed> do_deed(const Arguments& arguments, Manager& manager, const Target& target, const OnStarted& others)
{
    if (auto undone = left_undone(arguments, target.name)) return std::move(*undone);
    const StartOptions options{.wait = arguments.wait, .timeout = arguments.timeout};
    const auto as_restarted = [&](const StartOutcome& outcome) { return restarted(outcome, options.wait); };
    switch (arguments.verb->id) {
        case VerbId::restart: return manager.restart(target, options, others).map(as_restarted);
        case VerbId::try_restart:
            return manager.try_restart(target, options, others).map([&](const std::optional<StartOutcome>& outcome) {
                return outcome ? as_restarted(*outcome) : Deed{"was_not_running", "was not running"};
            });
        case VerbId::reload: return manager.reload(target).map([] { return Deed{"reloaded", "reloaded"}; });
        case VerbId::force_reload: return manager.force_reload(target, options, others).map([] { return Deed{"reloaded", "reloaded"}; });
        case VerbId::logs:
            if (arguments.rotate) return manager.rotate_logs(target).map([] { return Deed{"rotated", "log rotated"}; });
            return manager.reopen_logs(target).map([] { return Deed{"reopened", "log reopened"}; });
        case VerbId::reexec: return replaced(manager.reexec(target), arguments.all);
        default: break;
    }
    const int signal = arguments.signal.value_or(0);
    return manager.signal(target, signal).map([&] { return Deed{"signalled", "sent " + signal_name(signal)}; });
}

}  // namespace steward::cli
