// What a PID file may say: digits and at most one newline. Everything else is refused and never guessed at: "-1" would signal every
// process, "0" the caller's group, and 4294967297 read by scanf is PID 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "record/pid_file.hpp"

namespace steward::record {

inline constexpr std::size_t pid_text_limit = 64;

// `content` as read, with up to pid_text_limit + 1 bytes. `pid_max` is the highest number that can be a process here.
PidFileReading parse_pid_text(std::string_view content, std::int32_t pid_max, bool allow_pid_1);

}  // namespace steward::record
