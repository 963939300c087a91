// The small languages inside strings: sizes, octal modes, limits, CPU lists. (Durations and command lines: steward/words.hpp.) Text in, value out; and back.
//
// On failure `objection` says why, as the end of the sentence "'x' …".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <steward/service_spec.hpp>

namespace steward::config {

[[nodiscard]] std::string format_duration(Duration duration);  // in the largest unit that takes no fraction

// "0755": octal digits, at most `highest`.
[[nodiscard]] std::optional<unsigned> parse_octal(std::string_view text, unsigned highest, std::string& objection);
[[nodiscard]] std::string format_octal(unsigned value);  // with a leading 0

// "64KiB", "10MiB"; units are binary.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text, std::string& objection);
[[nodiscard]] std::string format_size(std::uint64_t size);  // in the largest unit that takes no fraction

// "50%"; from 1 % to ten thousand CPUs.
[[nodiscard]] std::optional<unsigned> parse_percent(std::string_view text, std::string& objection);

// "1000/10s", "none".
[[nodiscard]] std::optional<RateLimit> parse_rate(std::string_view text, std::string& objection);
[[nodiscard]] std::string format_rate(const RateLimit& rate);

enum class LimitUnit { count, bytes };
// "65536", "infinity", "1024:65536"; with bytes also "64MiB". A single value is both limits.
[[nodiscard]] std::optional<ResourceLimit> parse_limit(std::string_view text, LimitUnit unit, std::string& objection);
[[nodiscard]] std::string format_limit(const ResourceLimit& limit);

// "0-3,6" → 0 1 2 3 6, sorted, each once.
[[nodiscard]] std::optional<std::vector<unsigned>> parse_cpus(std::string_view text, std::string& objection);

}  // namespace steward::config
