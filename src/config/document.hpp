// The one door to the TOML library: text to Node, Node to text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/node.hpp"

namespace steward::config {

struct SyntaxFault {
    Place place;
    std::string message;
};

// Fills in `root`, a table; or tells the first place that is not TOML. Safe with any bytes: nesting is bounded.
[[nodiscard]] std::optional<SyntaxFault> parse_document(std::string_view text, Node& root);

// One line of TOML: `"a \"b\""`, `["x", "y"]`, `{ A = "1" }`.
[[nodiscard]] std::string print(const Node& value);
[[nodiscard]] std::string print_key(const std::string& key);  // bare where that is possible, else quoted

// The first key with more dotted parts than any service file has a use for. The TOML library would build, and then take down by
// recursion, as many tables as a key has dots: a megabyte of dots would end in a stack overflow.
[[nodiscard]] std::optional<Place> too_deep_key(std::string_view text);

}  // namespace steward::config
