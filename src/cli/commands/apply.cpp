#include "cli/commands/by_verb.hpp"
#include "cli/deeds.hpp"
#include "cli/json.hpp"

namespace steward::cli {

int apply(Command& command)
{
    // What is started again along with a service is told; the document is of what was asked for.
    const OnStarted others = [&](const StartPart& part) {
        auto deed = deed_of(part, true);
        if (!deed) {
            command.fault(part.name, deed.error());
        } else if (command.text()) {
            command.tell_line(part.name, deed->text);
        }
    };
    const ApplyOptions options{.dry_run = command.arguments().dry_run};
    const auto answers =
        command.ask_each<Application>([&](const Target& target) { return command.manager().apply(target, options, others); },
                                      [&](const Answer<Application>& answer) {
                                          if (answer.result->kept_edits) command.note(exit_failed);
                                          if (command.text())
                                              command.tell(render_application(*answer.result, options.dry_run, command.style()));
                                      });
    return command.finish(application_json, answers);
}

}  // namespace steward::cli
