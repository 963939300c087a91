#include "cli/commands/by_verb.hpp"

#include <algorithm>

#include "cli/deeds.hpp"
#include "cli/json.hpp"

namespace steward::cli {

namespace {

// A service that is only wanted may fail: that is told, and is no failure of the verb.
template <class Outcome>
void tell_part(Command& command, const Part<Outcome>& part, Result<Deed> deed, Answers<Deed>& answers)
{
    if (!deed) {
        const int before = command.exit_code();
        command.fault(part.name, deed.error());
        if (part.role == Role::wanted) command.set_exit_code(before);
    } else if (command.text()) {
        command.tell_line(part.name, deed->text);
    }
    answers.push_back({part.name, std::move(deed)});
}

void sort_as_named(Answers<Deed>& answers, const std::vector<std::string>& order)
{
    const auto rank = [&](const Answer<Deed>& answer) { return std::find(order.begin(), order.end(), answer.name); };
    std::stable_sort(answers.begin(), answers.end(), [&](const auto& left, const auto& right) { return rank(left) < rank(right); });
}

// Side by side, the first to fail need not be the first that was named; that one tells the exit code.
void note_first_failure(Command& command, const Answers<Deed>& answers)
{
    const auto first = std::find_if(answers.begin(), answers.end(), [](const Answer<Deed>& answer) { return !answer.result; });
    if (first != answers.end()) command.set_exit_code(cli::exit_code(command.arguments().verb->id, first->result.error().code));
}

}  // namespace

int run_services(Command& command)
{
    std::vector<Target> services;
    for (Answer<Target>& target : command.targets()) {
        if (!target.result) {
            command.fault(target.name, target.result.error());
        } else {
            services.push_back(std::move(*target.result));
        }
    }
    if (command.exit_code() != exit_done) return command.exit_code();
    const Style& style = command.style().terminal ? command.style() : command.console().err_style();
    const auto outcome = command.manager().run(
        services,
        {.label_output = command.style().terminal, .label_error = command.console().err_style().terminal, .colour = style.colour});
    if (!outcome) {
        command.fault(services.empty() ? "" : services.front().name, outcome.error());
        return command.exit_code();
    }
    if (!outcome->exit || !outcome->exit->known) return exit_done;
    return outcome->exit->signalled ? 128 + outcome->exit->code : outcome->exit->code;
}

int do_deeds(Command& command)
{
    Answers<Deed> along;
    const OnStarted others = [&](const StartPart& part) { tell_part(command, part, deed_of(part, command.arguments().wait), along); };
    auto answers =
        command.ask_each<Deed>([&](const Target& target) { return do_deed(command.arguments(), command.manager(), target, others); },
                               [&](const Answer<Deed>& answer) {
                                   if (command.text()) command.tell_line(answer.name, answer.result->text);
                               });
    answers.insert(answers.end(), along.begin(), along.end());
    return command.finish(deeds_json, answers);
}

int start_or_stop(Command& command)
{
    std::vector<Target> services;
    std::vector<std::string> order;
    Answers<Deed> asked, along;
    for (Answer<Target>& target : command.targets()) {
        order.push_back(target.result ? target.result->name : target.name);
        if (target.result) {
            if (auto undone = left_undone(command.arguments(), target.result->name)) {
                if (command.text()) command.tell_line(target.result->name, undone->text);
                asked.push_back({target.result->name, std::move(*undone)});
            } else {
                services.push_back(std::move(*target.result));
            }
        } else {
            command.fault(target.name, target.result.error());
            asked.push_back({target.name, fail(target.result.error())});
        }
    }
    const auto place = [&](Role role) -> Answers<Deed>& { return role == Role::asked ? asked : along; };
    if (command.arguments().verb->id == VerbId::stop) {
        command.manager().stop(services, [&](const StopPart& part) { tell_part(command, part, deed_of(part), place(part.role)); });
    } else {
        const StartOptions options{.wait = command.arguments().wait, .timeout = command.arguments().timeout};
        command.manager().start(services, options, [&](const StartPart& part) {
            tell_part(command, part, deed_of(part, command.arguments().wait), place(part.role));
        });
    }
    sort_as_named(asked, order);
    note_first_failure(command, asked);
    asked.insert(asked.end(), along.begin(), along.end());
    return command.finish(deeds_json, asked);
}

}  // namespace steward::cli
