// Words that people write: which right one a wrong one was meant to be, what a duration says, and how a command line splits.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <steward/service_spec.hpp>

namespace steward {

// How many letters must be inserted, removed, replaced or swapped with their neighbour to make `left` from `right` (optimal
// string alignment). ASCII case does not count.
[[nodiscard]] inline std::size_t edit_distance(std::string_view left, std::string_view right)
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    std::vector<std::size_t> two_above(right.size() + 1), above(right.size() + 1), row(right.size() + 1);
    for (std::size_t column = 0; column <= right.size(); ++column) row[column] = column;
    for (std::size_t line = 1; line <= left.size(); ++line) {
        std::swap(two_above, above);
        std::swap(above, row);
        row[0] = line;
        for (std::size_t column = 1; column <= right.size(); ++column) {
            const char here = lower(left[line - 1]);
            const char there = lower(right[column - 1]);
            row[column] = std::min({above[column] + 1, row[column - 1] + 1, above[column - 1] + (here == there ? 0U : 1U)});
            if (line > 1 && column > 1 && here == lower(right[column - 2]) && lower(left[line - 2]) == there) {
                row[column] = std::min(row[column], two_above[column - 2] + 1);
            }
        }
    }
    return row[right.size()];
}

// The candidate that `word` was probably meant to be: the nearest by edit distance, at most one error in three letters; else the
// only one that begins with it. Empty when none is near. `candidates` is any range of strings; the first of equals wins.
template <class Candidates>
[[nodiscard]] std::string nearest(std::string_view word, const Candidates& candidates)
{
    constexpr std::size_t longest = 100;  // a longer word is no slip of the finger, and the distance is quadratic
    if (word.empty() || word.size() > longest) return {};
    std::string_view best, begun;
    std::size_t best_distance = std::numeric_limits<std::size_t>::max();
    std::size_t begins = 0;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > longest) continue;
        const std::size_t distance = edit_distance(word, candidate);
        const std::size_t allowed = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
        if (distance <= allowed && distance < std::max(word.size(), candidate.size()) && distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
        if (candidate.starts_with(word)) {
            begun = candidate;
            ++begins;
        }
    }
    if (best.empty() && begins == 1) best = begun;
    return std::string(best);
}

// "500ms", "1.5s": one number, with a fraction or not, and one unit (us ms s min h d), nothing between or around them; no finer than a
// microsecond, no longer than 100 years. Unset for anything else; `objection`, where given, then says why as the end of the sentence
// "'x' …".
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text, std::string* objection = nullptr);

// A moment as people write it, in local time unless it says otherwise: "2026-11-21", "2026-11-21 12:00[:30[.5]]" (also with 'T', and with Z, UTC
// or +01:00 at its end), "12:00" (today), "now", "today", "yesterday", "tomorrow" (their midnight), "@1795000000" (seconds since the epoch),
// "10 min ago", "1h 30min ago", "-1h"; a bare duration, "1h", lies in the past too, and "+1h" does not. Units as parse_duration has them, and
// words for them: sec, minutes, hours, days, weeks. Unset for anything else.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text,
                                                                              std::chrono::system_clock::time_point now);

// Splits by POSIX quoting without expansion: '…', "…" (a backslash before \ " $ ` or newline), \x. Unset: an unclosed quote.
[[nodiscard]] std::optional<Argv> split_words(std::string_view text, std::string* objection = nullptr);

}  // namespace steward
