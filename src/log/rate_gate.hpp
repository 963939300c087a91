// How many lines pass in which time: pure, a line at a time, the same over a change of processes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include <steward/service_spec.hpp>

namespace steward::log {

struct GateState {
    std::uint64_t window_began = 0;  // microseconds of the monotonic clock
    std::uint64_t passed = 0;        // lines in this window
    std::uint64_t dropped_lines = 0;
    std::uint64_t dropped_bytes = 0;
    std::uint64_t inside_dropped = 0;  // 1: the line that is being dropped has not ended yet
    friend bool operator==(const GateState&, const GateState&) = default;
};

struct GateVerdict {
    std::size_t bytes = 0;  // of the text, from its beginning, this is said of; not 0
    bool passes = true;
    GateState after;
};

using GateTime = std::chrono::steady_clock::time_point;

// `text` is not empty. `in_line`: it begins inside a line that has begun to pass; what has begun to pass passes to its end.
[[nodiscard]] GateVerdict judge_rate(const RateLimit& limit, const GateState& state, std::span<const char> text, bool in_line,
                                     GateTime now);
// Something was dropped in a window that is over.
[[nodiscard]] bool is_report_due(const RateLimit& limit, const GateState& state, GateTime now);
[[nodiscard]] std::chrono::microseconds left_of_window(const RateLimit& limit, const GateState& state, GateTime now);

}  // namespace steward::log
