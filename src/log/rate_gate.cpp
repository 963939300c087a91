#include "log/rate_gate.hpp"

#include <algorithm>
#include <cstring>

namespace steward::log {

namespace {

std::uint64_t microseconds_of(GateTime time)
{
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
}

// Behind the end of the line that `text` begins in; 0: it does not end.
std::size_t line_end(std::span<const char> text)
{
    const auto* newline = static_cast<const char*>(std::memchr(text.data(), '\n', text.size()));
    return newline == nullptr ? 0 : static_cast<std::size_t>(newline - text.data()) + 1;
}

GateVerdict drop(GateState state, std::span<const char> text, std::size_t bytes)
{
    const auto dropped = text.first(bytes);
    state.dropped_bytes += bytes;
    state.dropped_lines += static_cast<std::uint64_t>(std::count(dropped.begin(), dropped.end(), '\n'));
    state.inside_dropped = dropped.back() == '\n' ? 0 : 1;
    return {.bytes = bytes, .passes = false, .after = state};
}

}  // namespace

std::chrono::microseconds left_of_window(const RateLimit& limit, const GateState& state, GateTime now)
{
    const std::uint64_t at = microseconds_of(now);
    const auto window = static_cast<std::uint64_t>(limit.window.count());
    // A window of another boot is over.
    const bool over = state.window_began == 0 || at < state.window_began || at - state.window_began >= window;
    return std::chrono::microseconds(over ? 0 : window - (at - state.window_began));
}

bool is_report_due(const RateLimit& limit, const GateState& state, GateTime now)
{
    return state.dropped_bytes != 0 && left_of_window(limit, state, now).count() == 0;
}

GateVerdict judge_rate(const RateLimit& limit, const GateState& before, std::span<const char> text, bool in_line, GateTime now)
{
    GateState state = before;
    if (state.inside_dropped != 0) {
        const std::size_t end = line_end(text);
        return drop(state, text, end == 0 ? text.size() : end);
    }
    if (left_of_window(limit, state, now).count() == 0) {
        state.window_began = microseconds_of(now);
        state.passed = 0;
    }
    if (!in_line && state.passed >= limit.lines) return drop(state, text, text.size());
    std::size_t bytes = 0;
    for (bool inside = in_line; bytes < text.size() && (inside || state.passed < limit.lines); inside = false) {
        state.passed += inside ? 0 : 1;
        const std::size_t end = line_end(text.subspan(bytes));
        bytes = end == 0 ? text.size() : bytes + end;
    }
    return {.bytes = bytes, .passes = true, .after = state};
}

}  // namespace steward::log
