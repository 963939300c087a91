// The time at the start of each line: pure, and as fast as copying nearly is.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <span>

#include <steward/service_spec.hpp>

namespace steward::log {

using WallTime = std::chrono::system_clock::time_point;

// "2026-11-21T12:02:15.123456Z ", "@4000000065b9c4d51234abcd " (TAI64N, as multilog writes it), or nothing.
class Stamp {
  public:
    Stamp(LogTimestamps kind, WallTime time);
    [[nodiscard]] std::span<const char> text() const { return std::span(text_).first(size_); }

  private:
    std::array<char, 32> text_{};
    std::size_t size_ = 0;
};

inline constexpr std::size_t longest_stamp = 28;

struct Stamped {
    std::size_t taken = 0;    // of the input
    std::size_t written = 0;  // of the output
    std::size_t lines = 0;    // ends of lines among them
    bool in_line = false;     // the last line waits for its end
};

// Copies as much of `from` into `into` as fits, each line behind the stamp; bytes are kept as they are, a line without an end too.
// `in_line`: `from` begins inside a line. Ends after the first line that reaches `enough` bytes of output: so a log is cut between lines.
[[nodiscard]] Stamped stamp_lines(std::span<const char> from, bool in_line, const Stamp& stamp, std::span<char> into, std::size_t enough);

// Where the line's own bytes begin, behind a stamp of that kind; 0 where it has none.
[[nodiscard]] std::size_t stamp_length(std::string_view line, LogTimestamps kind);

}  // namespace steward::log
