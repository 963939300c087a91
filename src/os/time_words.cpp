// Moments as people write them, read: see words.hpp.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>

#include <steward/words.hpp>

namespace steward {

namespace {

using Clock = std::chrono::system_clock;
using Time = Clock::time_point;
using std::chrono::microseconds;

struct Unit {
    std::string_view name;
    std::string_view short_name;  // as parse_duration has it
    int factor;
};

constexpr std::array<Unit, 22> units{{{"us", "us", 1},      {"ms", "ms", 1},       {"s", "s", 1},   {"sec", "s", 1},   {"secs", "s", 1},
                                      {"second", "s", 1},   {"seconds", "s", 1},   {"m", "min", 1}, {"min", "min", 1}, {"mins", "min", 1},
                                      {"minute", "min", 1}, {"minutes", "min", 1}, {"h", "h", 1},   {"hr", "h", 1},    {"hour", "h", 1},
                                      {"hours", "h", 1},    {"d", "d", 1},         {"day", "d", 1}, {"days", "d", 1},  {"w", "d", 7},
                                      {"week", "d", 7},     {"weeks", "d", 7}}};

void trim(std::string_view& text)
{
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
}

// "1h 30 min": the sum of its parts.
std::optional<Duration> parse_span(std::string_view text)
{
    Duration sum{0};
    trim(text);
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        const std::size_t number = std::min(text.find_first_not_of("0123456789."), text.size());
        std::string_view rest = text.substr(number);
        trim(rest);
        const std::size_t letters = std::min(rest.find_first_of("0123456789. "), rest.size());
        const auto* unit = std::ranges::find(units, rest.substr(0, letters), &Unit::name);
        if (unit == units.end()) return std::nullopt;
        const auto part = parse_duration(std::string(text.substr(0, number)) + std::string(unit->short_name));
        if (!part) return std::nullopt;
        sum += *part * unit->factor;
        if (sum > std::chrono::hours(24) * 36'525) return std::nullopt;
        text = rest.substr(letters);
        trim(text);
    }
    return sum;
}

std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most)
{
    int value = 0;
    const std::size_t digits = std::min({text.find_first_not_of("0123456789"), text.size(), most});
    if (digits < least) return std::nullopt;
    std::from_chars(text.data(), text.data() + digits, value);
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, std::string_view word)
{
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
}

// What a written moment says; -1: not said.
struct Written {
    std::tm local{};
    microseconds fraction{0};
    std::optional<int> offset;  // minutes east of UTC
};

bool take_date(std::string_view& text, std::tm& into)
{
    const auto year = take_number(text, 4, 4);
    if (!year || !take(text, "-")) return false;
    const auto month = take_number(text, 1, 2);
    if (!month || !take(text, "-")) return false;
    const auto day = take_number(text, 1, 2);
    if (!day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return false;
    into.tm_year = *year - 1900;
    into.tm_mon = *month - 1;
    into.tm_mday = *day;
    return true;
}

bool take_clock(std::string_view& text, Written& into)
{
    const auto hour = take_number(text, 1, 2);
    if (!hour || *hour > 24 || !take(text, ":")) return false;
    const auto minute = take_number(text, 2, 2);
    if (!minute || *minute > 59) return false;
    into.local.tm_hour = *hour;
    into.local.tm_min = *minute;
    if (!take(text, ":")) return true;
    const auto second = take_number(text, 2, 2);
    if (!second || *second > 60) return false;
    into.local.tm_sec = *second;
    if (!take(text, ".")) return true;
    int scale = 1'000'000;
    bool any = false;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        scale /= 10;
        into.fraction += microseconds((text.front() - '0') * scale);
        text.remove_prefix(1);
        any = true;
    }
    return any;
}

bool take_zone(std::string_view& text, Written& into)
{
    trim(text);
    if (text.empty()) return true;
    if (take(text, "Z") || take(text, "UTC")) {
        into.offset = 0;
        return text.empty();
    }
    const int sign = text.front() == '-' ? -1 : 1;
    if (!take(text, "+") && !take(text, "-")) return false;
    const auto hours = take_number(text, 2, 2);
    static_cast<void>(take(text, ":"));
    const auto minutes = text.empty() ? std::optional(0) : take_number(text, 2, 2);
    if (!hours || !minutes || *hours > 14 || *minutes > 59) return false;
    into.offset = sign * (*hours * 60 + *minutes);
    return text.empty();
}

std::optional<Time> moment_of(Written& written)
{
    std::time_t seconds = 0;
    if (written.offset) {
        seconds = timegm(&written.local) - *written.offset * 60;
    } else {
        written.local.tm_isdst = -1;
        seconds = std::mktime(&written.local);
        if (seconds == -1) return std::nullopt;
    }
    constexpr std::time_t farthest = 9'000'000'000;  // more does not fit a time_point
    if (seconds < -farthest || seconds > farthest) return std::nullopt;
    return Clock::from_time_t(seconds) + written.fraction;
}

Written today(Time now)
{
    Written day;
    const std::time_t seconds = Clock::to_time_t(now);
    localtime_r(&seconds, &day.local);
    day.local.tm_hour = day.local.tm_min = day.local.tm_sec = 0;
    return day;
}

std::optional<Time> parse_calendar(std::string_view text, Time now)
{
    Written written;
    if (text.find('-') == 4) {
        if (!take_date(text, written.local)) return std::nullopt;
        const bool clock = take(text, "T") || (text.size() > 1 && text[0] == ' ' && text[1] >= '0' && text[1] <= '9' && take(text, " "));
        if (clock && !take_clock(text, written)) return std::nullopt;
    } else {
        written = today(now);
        if (!take_clock(text, written)) return std::nullopt;
    }
    if (!take_zone(text, written)) return std::nullopt;
    return moment_of(written);
}

}  // namespace

std::optional<Time> parse_time(std::string_view text, Time now)
{
    trim(text);
    if (text == "now") return now;
    if (text == "today" || text == "yesterday" || text == "tomorrow") {
        Written day = today(now);
        day.local.tm_mday += text == "tomorrow" ? 1 : text == "yesterday" ? -1 : 0;
        return moment_of(day);
    }
    if (take(text, "@")) {
        const auto since = parse_duration(std::string(text) + "s");
        return since ? std::optional(Time(*since)) : std::nullopt;
    }
    if (take(text, "+")) {
        const auto span = parse_span(text);
        return span ? std::optional(now + *span) : std::nullopt;
    }
    if (auto moment = parse_calendar(text, now)) return moment;
    static_cast<void>(take(text, "-"));
    if (text.ends_with(" ago")) text.remove_suffix(4);
    const auto span = parse_span(text);
    return span ? std::optional(now - *span) : std::nullopt;
}

}  // namespace steward
