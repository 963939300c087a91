// Text for a reader's eyes: made harmless, measured in columns, cut and wrapped; sizes, durations and times as people write them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <steward/service_spec.hpp>

namespace steward::cli {

// One line that cannot do anything to a terminal: colour sequences are dropped, tabs become spaces, every other control character,
// invalid UTF-8 and what reorders text (U+202E and its like) become "\x1b", "\u202e". Without `unicode` all but ASCII is escaped.
[[nodiscard]] std::string printable(std::string_view text, bool unicode);

// Columns that printable text takes; wide characters count as two, combining ones as none.
[[nodiscard]] std::size_t columns(std::string_view text);

// `text`, cut to `width` columns with a mark at its end where it was longer.
[[nodiscard]] std::string cut(std::string_view text, std::size_t width, bool unicode);
// `text` from column `begin` (from 0) on.
[[nodiscard]] std::string from_column(std::string_view text, std::size_t begin);
// Bytes of the first `count` characters of `text`, which may hold anything.
[[nodiscard]] std::size_t bytes_of(std::string_view text, std::size_t count);
// `text` in pieces of at most `width` columns; 0: in one piece.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width);
// Likewise, broken at spaces where there are some; those go.
[[nodiscard]] std::vector<std::string> wrap_words(std::string_view text, std::size_t width);
// `text` with spaces up to `width` columns.
[[nodiscard]] std::string padded(std::string text, std::size_t width);

// As one would type it into a shell.
[[nodiscard]] std::string shell_words(const Argv& argv);

[[nodiscard]] std::string size_text(std::uint64_t bytes);  // "12.3 MiB"
// In its two largest units: "2 h 3 min", "350 ms".
[[nodiscard]] std::string duration_text(std::chrono::microseconds duration);
[[nodiscard]] std::string ago(std::chrono::system_clock::time_point then, std::chrono::system_clock::time_point now);  // "5 min ago"
// Local time with its zone: "2026-01-02 03:04:05 CET".
[[nodiscard]] std::string utc_time(std::chrono::system_clock::time_point time);  // RFC 3339: "2026-01-02T03:04:05.000000Z"
[[nodiscard]] std::string local_time(std::chrono::system_clock::time_point time);

}  // namespace steward::cli
