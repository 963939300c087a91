#include "log/read_stamp.hpp"

#include <cstdint>

namespace steward::log {

namespace {

using Clock = std::chrono::system_clock;

constexpr std::uint64_t tai_epoch = 0x400000000000000aULL;  // 2^62, and the ten seconds that TAI was ahead of UTC in 1970

// The digits of text[begin, begin + count) as a number; -1 where one is none.
int digits(std::string_view text, std::size_t begin, std::size_t count)
{
    int value = 0;
    for (const char c : text.substr(begin, count)) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

// The date and the clock at the beginning of a line that has digits there; unset: no moment, or one that a time_point cannot hold.
std::optional<Clock::time_point> moment_of(std::string_view line)
{
    using namespace std::chrono;
    const year_month_day date{year(digits(line, 0, 4)), month(static_cast<unsigned>(digits(line, 5, 2))),
                              day(static_cast<unsigned>(digits(line, 8, 2)))};
    const int hour = digits(line, 11, 2);
    const int minute = digits(line, 14, 2);
    const int second = digits(line, 17, 2);
    const bool holds = date.year() >= year(1970) && date.year() < year(2262);
    if (!date.ok() || !holds || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

std::optional<ReadStamp> read_iso8601(std::string_view line)
{
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.ddd";
    constexpr std::size_t milliseconds_end = form.size();
    if (line.size() < milliseconds_end + 2) return std::nullopt;
    for (std::size_t at = 0; at < form.size(); ++at) {
        const bool right = form[at] == 'd' ? line[at] >= '0' && line[at] <= '9' : line[at] == form[at];
        if (!right) return std::nullopt;
    }
    int microseconds = digits(line, 20, 3) * 1000;
    std::size_t end = milliseconds_end;
    if (line[end] != 'Z') {
        if (line.size() < longest_read_stamp || digits(line, 23, 3) < 0) return std::nullopt;
        microseconds += digits(line, 23, 3);
        end += 3;
    }
    if (line[end] != 'Z' || line[end + 1] != ' ') return std::nullopt;
    const auto time = moment_of(line);
    if (!time) return std::nullopt;
    return ReadStamp{.time = *time + std::chrono::microseconds(microseconds), .length = end + 2};
}

std::optional<std::uint64_t> hexadecimal(std::string_view text)
{
    std::uint64_t value = 0;
    for (const char c : text) {
        const bool digit = c >= '0' && c <= '9';
        if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
        value = value << 4 | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
    }
    return value;
}

std::optional<ReadStamp> read_tai64n(std::string_view line)
{
    constexpr std::size_t length = 26;
    if (line.size() < length || line[0] != '@' || line[length - 1] != ' ') return std::nullopt;
    const auto seconds = hexadecimal(line.substr(1, 16));
    const auto nanoseconds = hexadecimal(line.substr(17, 8));
    constexpr std::uint64_t latest = 9'000'000'000;  // more does not fit a time_point
    if (!seconds || !nanoseconds || *seconds < tai_epoch || *seconds - tai_epoch > latest || *nanoseconds > 999'999'999) {
        return std::nullopt;
    }
    const auto since = std::chrono::seconds(*seconds - tai_epoch) + std::chrono::nanoseconds(*nanoseconds);
    return ReadStamp{.time = Clock::time_point(std::chrono::duration_cast<Clock::duration>(since)), .length = length};
}

}  // namespace

std::optional<ReadStamp> read_stamp(std::string_view line)
{
    if (line.empty()) return std::nullopt;
    return line.front() == '@' ? read_tai64n(line) : read_iso8601(line);
}

}  // namespace steward::log
