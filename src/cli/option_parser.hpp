// CLI11 behind a narrow door: the only translation unit that includes it is option_parser.cpp, because it compiles for seconds.
#pragma once

#include <array>
#include <string>
#include <variant>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/verbs.hpp"

namespace steward::cli {

// What was given, still as text. Indexed by OptionId.
struct GivenOptions {
    std::array<bool, option_count> given{};
    std::array<std::string, option_count> values;
    std::vector<std::string> rest;  // what is no option of the verb, in order

    [[nodiscard]] bool has(OptionId id) const { return given[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const std::string& value(OptionId id) const { return values[static_cast<std::size_t>(id)]; }
};

// Takes the options of `verb` (null: the common ones) out of `words`, which hold neither the verb nor "--".
[[nodiscard]] std::variant<GivenOptions, UsageError> parse_options(const Verb* verb, const std::vector<std::string>& words);

}  // namespace steward::cli
