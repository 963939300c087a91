#include "cli/command_line.hpp"

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_codes.hpp"

namespace steward::cli {

namespace {

int carry_out_words(const Arguments& arguments, Console& console)
{
    if (arguments.version) {
        console.result("steward " STEWARD_VERSION "\n");
        return exit_done;
    }
    const bool about_verb = arguments.help && arguments.verb != nullptr && arguments.verb->id != VerbId::help;
    if (arguments.help || arguments.verb->id == VerbId::help) {
        const Verb* verb = about_verb ? arguments.verb : arguments.operands.empty() ? nullptr : find_verb(arguments.operands.front());
        console.result(verb == nullptr ? program_help() : verb_help(*verb));
        return exit_done;
    }
    Manager manager(ManagerOptions{.scope = arguments.scope, .here = arguments.here});
    return carry_out(arguments, manager, console, std::chrono::system_clock::now());
}

}  // namespace

int run_command_line(const std::vector<std::string>& words, std::FILE* out, std::FILE* err)
{
    if (!words.empty() && words.front() == carry_on_word) return carry_on(words);
    const auto parsed = parse_arguments(words);
    if (const auto* error = std::get_if<UsageError>(&parsed)) {
        Console(out, err, ColorWhen::automatic).complain(error->message);
        return exit_usage;
    }
    const auto& arguments = std::get<Arguments>(parsed);
    Console console(out, err, arguments.color);
    const int code = carry_out_words(arguments, console);
    if (console.results_written()) return code;
    console.complain("cannot write the results: the output is full or closed");
    if (code != exit_done) return code;
    return arguments.verb != nullptr && arguments.verb->id == VerbId::status ? exit_unknown_status : exit_failed;
}

}  // namespace steward::cli
