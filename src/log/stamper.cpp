#include "log/stamper.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <ctime>
#include <string_view>

namespace steward::log {

namespace {

// 2^62, and the ten seconds that TAI was ahead of UTC in 1970: the label that multilog and s6-log write.
constexpr std::uint64_t tai_epoch = (std::uint64_t{1} << 62U) + 10;

char* put_decimal(char* to, unsigned value, unsigned digits)
{
    for (unsigned i = digits; i > 0; --i, value /= 10) to[i - 1] = static_cast<char>('0' + value % 10);
    return to + digits;
}

char* put_hexadecimal(char* to, std::uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i > 0; --i, value >>= 4U) to[i - 1] = "0123456789abcdef"[value & 15U];
    return to + digits;
}

char* put_iso8601(char* to, std::chrono::sys_time<std::chrono::nanoseconds> time)
{
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(floor<microseconds>(time - day));
    to = put_decimal(to, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    *to++ = '-';
    to = put_decimal(to, static_cast<unsigned>(date.month()), 2);
    *to++ = '-';
    to = put_decimal(to, static_cast<unsigned>(date.day()), 2);
    *to++ = 'T';
    to = put_decimal(to, static_cast<unsigned>(clock.hours().count()), 2);
    *to++ = ':';
    to = put_decimal(to, static_cast<unsigned>(clock.minutes().count()), 2);
    *to++ = ':';
    to = put_decimal(to, static_cast<unsigned>(clock.seconds().count()), 2);
    *to++ = '.';
    to = put_decimal(to, static_cast<unsigned>(clock.subseconds().count()), 6);
    *to++ = 'Z';
    return to;
}

char* put_tai64n(char* to, std::chrono::sys_time<std::chrono::nanoseconds> time)
{
    using namespace std::chrono;
    const auto second = floor<seconds>(time);
    *to++ = '@';
    to = put_hexadecimal(to, tai_epoch + static_cast<std::uint64_t>(second.time_since_epoch().count()), 16);
    return put_hexadecimal(to, static_cast<std::uint64_t>((time - second).count()), 8);
}

// A pattern of 'd' for a digit, 'x' for a hexadecimal one, and itself for everything else.
bool matches(std::string_view text, std::string_view pattern)
{
    if (text.size() < pattern.size()) return false;
    return std::equal(pattern.begin(), pattern.end(), text.begin(), [](char wanted, char c) {
        if (wanted == 'd') return c >= '0' && c <= '9';
        if (wanted == 'x') return std::isxdigit(static_cast<unsigned char>(c)) != 0;
        return wanted == c;
    });
}

}  // namespace

Stamp::Stamp(LogTimestamps kind, WallTime time)
{
    if (kind == LogTimestamps::none) return;
    char* const begin = text_.data();
    char* end = kind == LogTimestamps::iso8601 ? put_iso8601(begin, time) : put_tai64n(begin, time);
    *end++ = ' ';
    size_ = static_cast<std::size_t>(end - begin);
}

Stamped stamp_lines(std::span<const char> from, bool in_line, const Stamp& stamp, std::span<char> into, std::size_t enough)
{
    const auto text = stamp.text();
    const char* read = from.data();
    const char* const read_end = read + from.size();
    char* write = into.data();
    char* const write_end = write + into.size();
    const char* const sufficient = write + std::min(enough, into.size());
    Stamped done{.in_line = in_line};
    while (read != read_end && write != write_end) {
        if (!done.in_line) {
            if (static_cast<std::size_t>(write_end - write) <= text.size()) break;
            std::memcpy(write, text.data(), text.size());
            write += text.size();
            done.in_line = true;
        }
        const auto most = static_cast<std::size_t>(std::min(read_end - read, write_end - write));
        const auto* newline = static_cast<const char*>(std::memchr(read, '\n', most));
        const std::size_t length = newline != nullptr ? static_cast<std::size_t>(newline - read) + 1 : most;
        std::memcpy(write, read, length);
        read += length;
        write += length;
        if (newline == nullptr) continue;
        ++done.lines;
        done.in_line = false;
        if (write >= sufficient) break;
    }
    done.taken = static_cast<std::size_t>(read - from.data());
    done.written = static_cast<std::size_t>(write - into.data());
    return done;
}

std::size_t stamp_length(std::string_view line, LogTimestamps kind)
{
    constexpr std::string_view iso8601 = "dddd-dd-ddTdd:dd:dd.ddddddZ ";
    constexpr std::string_view tai64n = "@xxxxxxxxxxxxxxxxxxxxxxxx ";
    if (kind == LogTimestamps::iso8601 && matches(line, iso8601)) return iso8601.size();
    if (kind == LogTimestamps::tai64n && matches(line, tai64n)) return tai64n.size();
    return 0;
}

}  // namespace steward::log
