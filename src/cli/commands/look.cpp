#include "cli/commands/by_verb.hpp"

#include <algorithm>
#include <map>

#include "cli/json.hpp"
#include "cli/log_printer.hpp"
#include "cli/tree.hpp"

namespace steward::cli {

namespace {

constexpr unsigned default_lines = 10;

void tell_table(Command& command, const Answers<ServiceStatus>& answers)
{
    std::vector<ServiceStatus> services;
    for (const Answer<ServiceStatus>& answer : answers) {
        if (answer.result) services.push_back(*answer.result);
    }
    if (!services.empty()) command.tell(render_list(services, command.now(), command.style(), command.arguments().verbose));
    if (answers.empty())
        command.console().complain("there are no services yet (try: steward start --name NAME -- COMMAND, or man steward.toml)");
}

unsigned lines(const Command& command)
{
    return command.arguments().lines.value_or(default_lines);
}

// With -q only the exit code is told.
StatusOptions asking(const Command& command, unsigned last_lines)
{
    return command.arguments().quiet ? StatusOptions{.last_lines = 0, .usage = false}
                                     : StatusOptions{.last_lines = last_lines, .usage = true};
}

std::string render(const Command& command, const ServiceStatus& status)
{
    return render_status(status, command.now(), command.style(), command.arguments().verbose);
}

void add_names(Answers<Target>& found, const std::vector<std::string>& names)
{
    for (const std::string& name : names) {
        const bool known = std::any_of(found.begin(), found.end(),
                                       [&](const Answer<Target>& other) { return other.result && other.result->name == name; });
        if (!known && !is_neutral_name(name)) found.push_back({name, Target{.name = name, .file = {}, .command = {}}});
    }
}

}  // namespace

int tell_status(Command& command)
{
    bool first = true;
    const auto answers = command.ask_each<ServiceStatus>(
        [&](const Target& target) { return command.manager().status(target, asking(command, lines(command))); },
        [&](const Answer<ServiceStatus>& answer) {
            command.note(answer.result->lsb_code);
            if (command.text()) command.tell((first ? "" : "\n") + render(command, *answer.result));
            first = false;
        });
    return command.finish(status_json, answers);
}

int tell_overview(Command& command)
{
    const auto answers = command.ask_each<ServiceStatus>(
        [&](const Target& target) -> Result<ServiceStatus> {
            auto status = command.manager().status(target, asking(command, command.json() ? lines(command) : 0));
            return status && command.text() && is_in_trouble(*status) ? command.manager().status(target, asking(command, lines(command)))
                                                                      : std::move(status);
        },
        [](const Answer<ServiceStatus>&) {});
    if (command.json()) command.tell(status_json(answers, command.style()));
    if (command.text()) {
        tell_table(command, answers);
        for (const Answer<ServiceStatus>& answer : answers) {
            if (answer.result && is_in_trouble(*answer.result)) command.tell("\n" + render(command, *answer.result));
        }
    }
    const bool none_told = answers.size() == 1 && answers.front().name.empty();
    return none_told ? command.exit_code() : exit_done;
}

int tell_list(Command& command)
{
    const auto answers = command.ask_each<ServiceStatus>(
        [&](const Target& target) { return command.manager().status(target, asking(command, 0)); }, [](const Answer<ServiceStatus>&) {});
    if (command.text()) tell_table(command, answers);
    return command.finish(list_json, answers);
}

int tell_tree(Command& command)
{
    DependencyMap dependencies;
    std::map<std::string, ServiceStatus> services;
    std::vector<std::string> roots;
    Answers<ServiceStatus> answers;
    Answers<Target> ahead = command.targets();
    const std::size_t asked = ahead.size();
    for (std::size_t i = 0; i < ahead.size(); ++i) {
        const Answer<Target> target = ahead[i];
        auto status = target.result ? command.manager().status(*target.result, asking(command, 0))
                                    : Result<ServiceStatus>(fail(target.result.error()));
        if (status) {
            if (i < asked && !command.arguments().operands.empty()) roots.push_back(target.result->name);
            services.emplace(target.result->name, *status);
            const auto wishes = command.manager().dependencies(*target.result).value_or(ServiceSpec::Dependencies{});
            for (const auto* named : {&wishes.required, &wishes.wanted}) add_names(ahead, *named);
            dependencies.emplace(target.result->name, wishes);
        } else if (i < asked) {
            command.fault(target.name, status.error());
        } else {
            continue;  // missing: the tree says so
        }
        answers.push_back({target.result ? target.result->name : target.name, std::move(status)});
    }
    if (!command.text()) return command.finish(tree_json, answers, dependencies);
    if (services.empty()) {
        tell_table(command, answers);
    } else {
        const auto twigs = tree_of(roots, dependencies, command.style());
        command.tell(render_tree(twigs, services, command.now(), command.style(), command.arguments().verbose));
    }
    return command.exit_code();
}

int tell_logs(Command& command)
{
    const auto form = command.json() ? LogPrinter::Form::json : command.text() ? LogPrinter::Form::text : LogPrinter::Form::nothing;
    print_logs(command.arguments(), command.manager(), command.targets(), form, command.now(), command.console(),
               [&](const std::string& service, const Error& error) { command.fault(service, error); });
    return command.exit_code();
}

}  // namespace steward::cli
