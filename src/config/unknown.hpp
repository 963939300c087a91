// What to say about a key or a table that the schema does not know, or knows elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "config/node.hpp"
#include "config/source.hpp"

namespace steward::config {

[[nodiscard]] std::string table_label(std::string_view table);  // "[stop]", "[[socket]]"
[[nodiscard]] bool is_table(std::string_view name);             // of the schema

// Both return the key or table that was probably meant, or nothing.
std::string fault_unknown_key(Source& source, std::string_view table, const Member& member);
// `prefix` is "" at the top of the file, "systemd." below it.
std::string fault_unknown_at_top(Source& source, std::string_view prefix, const Member& member);

}  // namespace steward::config
