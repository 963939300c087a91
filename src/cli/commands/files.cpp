#include "cli/commands/by_verb.hpp"

#include "cli/json.hpp"

namespace steward::cli {

namespace {

GenerateOptions generating(const Command& command)
{
    return {.systems = command.arguments().init,
            .with_steward = !command.arguments().without_steward,
            .strict = command.arguments().strict,
            .destination = command.arguments().destdir};
}

}  // namespace

int show(Command& command)
{
    bool first = true;
    const auto answers = command.ask_each<ShownService>([&](const Target& target) { return command.manager().show(target); },
                                                        [&](const Answer<ShownService>& answer) {
                                                            const std::string shown = render_show(*answer.result, command.style());
                                                            if (command.text()) command.tell((first ? "" : "\n") + shown);
                                                            first = false;
                                                        });
    return command.finish(show_json, answers);
}

int check(Command& command)
{
    std::vector<Target> services;
    std::vector<std::string> operands;
    Answers<Generated> answers;
    for (Answer<Target>& target : command.targets()) {
        operands.push_back(target.name);
        if (target.result) {
            answers.push_back({target.result->name, Generated{.name = target.result->name, .files = {}, .notes = {}}});
            services.push_back(std::move(*target.result));
        } else {
            answers.push_back({target.name, fail(target.result.error())});
        }
    }
    const auto outcomes = command.manager().check(services);
    std::size_t place = 0;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        auto& result = answers[i].result;
        if (result) {
            if (!outcomes[place]) {
                result = fail(outcomes[place].error());
            } else if (!command.arguments().init.empty()) {
                result = command.manager().generate(services[place], generating(command));
            }
            ++place;
        }
        if (!result) {
            command.fault(operands[i], result.error());
        } else if (command.text()) {
            command.tell_line(answers[i].name, "ok");
            command.tell(render_notes(*result, command.style(), true));
        }
    }
    return command.finish(check_json, answers);
}

int generate(Command& command)
{
    const auto answers = command.ask_each<Generated>(
        [&](const Target& target) { return command.manager().generate(target, generating(command)); }, [](const Answer<Generated>&) {});
    if (!command.text()) return command.finish(generate_json, answers);
    std::size_t files = 0;
    for (const Answer<Generated>& answer : answers) files += answer.result ? answer.result->files.size() : 0;
    for (const Answer<Generated>& answer : answers) {
        if (!answer.result) continue;
        command.console().diagnostic(render_notes(*answer.result, command.console().err_style(), command.arguments().verbose));
        command.tell(command.arguments().destdir.empty() ? render_files(*answer.result, files > 1)
                                                         : render_written(*answer.result, command.arguments().destdir));
    }
    return command.exit_code();
}

int write_package_scripts(Command& command)
{
    std::vector<Target> services;
    const auto answers = command.ask_each<std::vector<PackageScript>>(
        [&](const Target& target) {
            services.push_back(target);
            return command.manager().package_scripts({target}, *command.arguments().scripts, "");
        },
        [](const Answer<std::vector<PackageScript>>&) {});
    Result<std::vector<PackageScript>> scripts;
    if (command.exit_code() == exit_done)
        scripts = command.manager().package_scripts(services, *command.arguments().scripts, command.arguments().destdir);
    if (!scripts) command.fault(services.front().name, scripts.error());
    if (command.text() && scripts) command.tell(render_scripts(*scripts, command.arguments().destdir));
    return command.finish(scripts_json, answers, scripts);
}

}  // namespace steward::cli
