#include <steward/package_policy.hpp>

#include "cli/commands/by_verb.hpp"
#include "cli/deeds.hpp"
#include "cli/json.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

Result<Installation> change(const Arguments& arguments, Manager& manager, const Target& target, bool may_act)
{
    const BootOptions boot{.root = arguments.root, .dry_run = arguments.dry_run};
    switch (arguments.verb->id) {
        case VerbId::install:
            return manager.install(target, {.init = arguments.init.empty() ? std::nullopt : std::optional(arguments.init.front()),
                                            .without_init = arguments.without_init,
                                            .root = arguments.root,
                                            .now = arguments.now && may_act,
                                            .force = arguments.force,
                                            .dry_run = arguments.dry_run,
                                            .strict = arguments.strict});
        case VerbId::uninstall:
            return manager.uninstall(target, {.root = arguments.root,
                                              .force = arguments.force,
                                              .purge = arguments.purge,
                                              .leave_running = !may_act,
                                              .dry_run = arguments.dry_run});
        case VerbId::enable: return manager.enable(target, boot);
        default: return manager.disable(target, boot);
    }
}

// Starts or stops the service, if the host does not object; a host's objection becomes a warning.
Result<Installation> change(const Arguments& arguments, Manager& manager, const Target& target)
{
    const bool acts = arguments.root.empty() && !arguments.dry_run && (arguments.now || arguments.verb->id == VerbId::uninstall);
    const auto undone = acts ? left_undone(arguments, target.name) : std::nullopt;
    auto done = change(arguments, manager, target, !undone);
    if (done && undone) done->warnings.push_back(undone->text);
    return done;
}

void tell_change(Command& command, const Installation& done)
{
    const Arguments& arguments = command.arguments();
    // What install was asked for is not what is there now; no reason for a package to fail.
    if (arguments.verb->id == VerbId::install && done.kept_edits && !in_maintainer_script()) command.note(exit_failed);
    if (!command.text()) return;
    Console& console = command.console();
    console.diagnostic(render_notes({.name = done.name, .files = {}, .notes = done.notes}, console.err_style(), arguments.verbose));
    command.tell(render_installation(done, arguments.verb->id, arguments.dry_run, command.style()));
    for (const std::string& warning : done.warnings) console.complain(done.name + ": " + printable(warning, console.err_style().unicode));
}

}  // namespace

int change_installation(Command& command)
{
    const auto answers =
        command.ask_each<Installation>([&](const Target& target) { return change(command.arguments(), command.manager(), target); },
                                       [&](const Answer<Installation>& answer) { tell_change(command, *answer.result); });
    return command.finish(installation_json, answers);
}

}  // namespace steward::cli
