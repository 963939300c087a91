#include "cli/option_parser.hpp"

#include <algorithm>

// CLI11's headers do not compile cleanly under steward's warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#pragma GCC diagnostic pop

namespace steward::cli {

namespace {

std::string names_for_cli11(const Option& described)
{
    const std::string word = "--" + std::string(described.word);
    return described.letter.empty() ? word : "-" + std::string(described.letter) + "," + word;
}

// CLI11 tells the option only within its text: "--lines: 1 required TEXT missing", "json was given a disallowed flag override".
UsageError explain(const CLI::ParseError& error)
{
    const std::string said = error.what();
    const std::size_t dashes = said.find("--");
    const std::size_t begin = dashes == std::string::npos ? 0 : dashes + 2;
    const std::string word = "--" + said.substr(begin, said.find_first_of(": =", begin) - begin);
    const Option* found = find_option(word);
    if (found == nullptr) return UsageError{said};
    if (found->argument.empty()) return UsageError{"option '" + word + "' takes no value"};
    return UsageError{"option '" + word + "' needs a value: " + word + " " + std::string(found->argument)};
}

}  // namespace

std::variant<GivenOptions, UsageError> parse_options(const Verb* verb, const std::vector<std::string>& words)
{
    GivenOptions given;
    try {
        CLI::App app;
        app.set_help_flag();
        app.allow_extras();
        for (const Option& candidate : options()) {
            if (!takes(verb, candidate.id)) continue;
            const auto index = static_cast<std::size_t>(candidate.id);
            if (candidate.argument.empty()) {
                app.add_flag(names_for_cli11(candidate), given.given[index])->disable_flag_override();
            } else {
                app.add_option_function<std::string>(names_for_cli11(candidate),
                                                     [&given, index](const std::string& value) {
                                                         given.given[index] = true;
                                                         given.values[index] = value;
                                                     })
                    ->take_last();
            }
        }
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 wants the last word first
        given.rest = app.remaining();
    } catch (const CLI::ParseError& error) {
        return explain(error);
    } catch (const CLI::Error& error) {
        return UsageError{error.what()};
    }
    return given;
}

}  // namespace steward::cli
