// The time at the beginning of a log line, read back: iso8601 or tai64n, as the pump and the event log write them.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace steward::log {

struct ReadStamp {
    std::chrono::system_clock::time_point time;
    std::size_t length = 0;  // with the space behind it
};

inline constexpr std::size_t longest_read_stamp = 28;

// "2026-11-21T12:02:15.123456Z " (with three digits or six) or "@4000000065b9c4d51234abcd ". Unset for any other beginning.
[[nodiscard]] std::optional<ReadStamp> read_stamp(std::string_view line);

}  // namespace steward::log
