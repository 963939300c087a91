#include "config/grammar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>

#include <steward/words.hpp>

namespace steward::config {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<Unit, 6> duration_units{
    {{"us", 1}, {"ms", 1'000}, {"s", 1'000'000}, {"min", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}}};

constexpr std::array<Unit, 6> size_units{
    {{"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40}, {"PiB", 1ULL << 50}}};

constexpr std::uint64_t infinity = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t most_size = std::uint64_t{1} << 60U;
constexpr unsigned highest_cpu = 8191;  // the kernel's own bound, NR_CPUS

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Strictly decimal and whole: no sign, no blank, no overflow.
template <class Number>
std::optional<Number> parse_decimal(std::string_view text)
{
    Number value{};
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string_view take_digits(std::string_view& text)
{
    const auto end = std::ranges::find_if_not(text, is_digit);
    const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(digits.size());
    return digits;
}

// A number, with a unit of size where `unit` is bytes.
std::optional<std::uint64_t> parse_amount(std::string_view text, LimitUnit unit)
{
    std::string_view rest = text;
    const auto number = parse_decimal<std::uint64_t>(take_digits(rest));
    if (!number || *number == infinity) return std::nullopt;
    if (rest.empty()) return number;
    if (unit != LimitUnit::bytes) return std::nullopt;
    for (const Unit& known : size_units) {
        if (rest == known.name && *number < infinity / known.factor) return *number * known.factor;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> parse_limit_value(std::string_view text, LimitUnit unit)
{
    return text == "infinity" ? infinity : parse_amount(text, unit);
}

template <std::size_t Count>
std::string in_largest_unit(std::uint64_t count, const std::array<Unit, Count>& units)
{
    auto unit = units.rbegin();
    while (count % unit->factor != 0) ++unit;  // the smallest is 1
    return std::to_string(count / unit->factor) + std::string(unit->name);
}

std::string format_limit_value(std::uint64_t value)
{
    return value == infinity ? "infinity" : std::to_string(value);
}

}  // namespace

std::string format_duration(Duration duration)
{
    const auto count = static_cast<std::uint64_t>(duration.count());
    if (count == 0) return "0s";
    return in_largest_unit(count, duration_units);
}

std::optional<std::uint64_t> parse_size(std::string_view text, std::string& objection)
{
    const auto size = parse_amount(text, LimitUnit::bytes);
    if (!size || *size > most_size) {
        objection = "is no size, such as \"64KiB\" or \"10MiB\"";
        return std::nullopt;
    }
    return size;
}

std::string format_size(std::uint64_t size)
{
    return size == 0 ? "0" : in_largest_unit(size, size_units);
}

std::optional<unsigned> parse_percent(std::string_view text, std::string& objection)
{
    constexpr unsigned most = 1'000'000;
    std::string_view rest = text;
    const auto value = parse_decimal<unsigned>(take_digits(rest));
    if (value && *value >= 1 && *value <= most && rest == "%") return value;
    objection = "is no part of a CPU, such as \"50%\" or \"200%\"";
    return std::nullopt;
}

std::optional<RateLimit> parse_rate(std::string_view text, std::string& objection)
{
    if (text == "none") return RateLimit{};
    const std::size_t slash = text.find('/');
    const auto lines = parse_decimal<std::uint64_t>(text.substr(0, slash));
    std::string ignored;
    const auto window = slash == std::string_view::npos ? std::nullopt : parse_duration(text.substr(slash + 1), &ignored);
    if (!lines || *lines == 0 || !window || *window <= Duration::zero()) {
        objection = "is no rate: lines in a time, such as \"1000/10s\", or \"none\" is meant";
        return std::nullopt;
    }
    return RateLimit{.lines = *lines, .window = *window};
}

std::string format_rate(const RateLimit& rate)
{
    return rate.lines == 0 ? "none" : std::to_string(rate.lines) + "/" + format_duration(rate.window);
}

std::optional<unsigned> parse_octal(std::string_view text, unsigned highest, std::string& objection)
{
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    if (text.empty() || !is_digit(text.front()) || error == std::errc::invalid_argument || end != text.data() + text.size()) {
        objection = "is no octal number";
        return std::nullopt;
    }
    if (error != std::errc{} || value > highest) {
        objection = "is more than \"" + format_octal(highest) + "\"";
        return std::nullopt;
    }
    return value;
}

std::string format_octal(unsigned value)
{
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 8).ptr;
    std::string text(digits.data(), end);
    if (text.size() < 3) text.insert(0, 3 - text.size(), '0');
    return text.starts_with('0') ? text : "0" + text;
}

std::optional<ResourceLimit> parse_limit(std::string_view text, LimitUnit unit, std::string& objection)
{
    const std::size_t colon = text.find(':');
    const auto soft = parse_limit_value(text.substr(0, colon), unit);
    const auto hard = colon == std::string_view::npos ? soft : parse_limit_value(text.substr(colon + 1), unit);
    if (!soft || !hard) {
        objection = unit == LimitUnit::bytes ? "is no limit: an integer, a size such as \"64MiB\", \"infinity\" or \"SOFT:HARD\" is meant"
                                             : "is no limit: an integer, \"infinity\" or \"SOFT:HARD\" is meant";
        return std::nullopt;
    }
    if (*soft > *hard) {
        objection = "has a soft limit above the hard one";
        return std::nullopt;
    }
    return ResourceLimit{*soft, *hard};
}

std::string format_limit(const ResourceLimit& limit)
{
    if (limit.soft == limit.hard) return format_limit_value(limit.soft);
    return format_limit_value(limit.soft) + ":" + format_limit_value(limit.hard);
}

std::optional<std::vector<unsigned>> parse_cpus(std::string_view text, std::string& objection)
{
    std::set<unsigned> cpus;
    for (std::string_view rest = text;;) {
        const std::size_t comma = rest.find(',');
        const std::string_view range = rest.substr(0, comma);
        const std::size_t dash = range.find('-');
        const auto first = parse_decimal<unsigned>(range.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : parse_decimal<unsigned>(range.substr(dash + 1));
        if (!first || !last || *first > *last) {
            objection = "is no list of CPUs, such as \"0-3,6\"";
            return std::nullopt;
        }
        if (*last > highest_cpu) {
            objection = "goes beyond CPU " + std::to_string(highest_cpu);
            return std::nullopt;
        }
        for (unsigned cpu = *first; cpu <= *last; ++cpu) cpus.insert(cpu);
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    return std::vector<unsigned>(cpus.begin(), cpus.end());
}

}  // namespace steward::config
