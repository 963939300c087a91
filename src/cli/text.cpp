#include "cli/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>
#include <span>

namespace steward::cli {

namespace {

using Clock = std::chrono::system_clock;

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 0;
};

// The code point at the beginning of `text`; unset where it is not UTF-8 (overlong forms, surrogates and what is cut off included).
std::optional<CodePoint> decode(std::string_view text)
{
    const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return CodePoint{lead, 1};
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return std::nullopt;
    char32_t value = lead & (0x7fU >> bytes);
    for (std::size_t index = 1; index < bytes; ++index) {
        if ((byte(index) & 0xc0) != 0x80) return std::nullopt;
        value = (value << 6) | (byte(index) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[bytes] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return std::nullopt;
    return CodePoint{value, bytes};
}

struct Range {
    char32_t first, last;
};

bool is_in(char32_t value, std::span<const Range> ranges)
{
    return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) { return value >= range.first && value <= range.last; });
}

bool is_hostile(char32_t value)
{
    constexpr Range hostile[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x200b, 0x200f}, {0x2028, 0x202e},
                                 {0x2060, 0x2069}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
    return is_in(value, hostile);
}

// Near enough for a table: the blocks of wide scripts and of combining marks, not every character's property.
std::size_t width_of(char32_t value)
{
    constexpr Range none[] = {{0x300, 0x36f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
    constexpr Range wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xac00, 0xd7a3},
                              {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6},
                              {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    return is_in(value, none) ? 0 : is_in(value, wide) ? 2 : 1;
}

// The length of the colour sequence (ESC [ digits ; m) that `text` begins with, else 0.
std::size_t colour_sequence(std::string_view text)
{
    if (!text.starts_with("\x1b[")) return 0;
    const std::size_t end = text.find_first_not_of("0123456789;:", 2);
    return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

std::string escaped(const char* format, unsigned value)
{
    char text[16];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

// Bytes of `text` that fit into `width` columns; at least one character, so that a loop over it ends.
std::size_t bytes_in(std::string_view text, std::size_t width)
{
    std::size_t bytes = 0;
    std::size_t used = 0;
    while (bytes < text.size()) {
        const CodePoint next = decode(text.substr(bytes)).value_or(CodePoint{U'?', 1});
        if (used + width_of(next.value) > width && bytes > 0) break;
        used += width_of(next.value);
        bytes += next.bytes;
    }
    return bytes;
}

}  // namespace

std::string printable(std::string_view text, bool unicode)
{
    std::string result;
    result.reserve(text.size());
    std::size_t column = 0;
    while (!text.empty()) {
        if (const std::size_t skip = colour_sequence(text); skip > 0) {
            text.remove_prefix(skip);
            continue;
        }
        const std::optional<CodePoint> next = decode(text);
        const std::size_t bytes = next ? next->bytes : 1;
        std::string piece(text.substr(0, bytes));
        if (!next || (next->value < 0x80 && is_hostile(next->value))) {
            piece = piece == "\t" ? std::string(8 - column % 8, ' ') : escaped("\\x%02x", static_cast<unsigned char>(text.front()));
        } else if (is_hostile(next->value) || (!unicode && next->value >= 0x80)) {
            piece = escaped(next->value > 0xffff ? "\\U%08x" : "\\u%04x", static_cast<unsigned>(next->value));
        }
        column += columns(piece);
        result += piece;
        text.remove_prefix(bytes);
    }
    return result;
}

std::size_t columns(std::string_view text)
{
    std::size_t width = 0;
    while (!text.empty()) {
        const CodePoint next = decode(text).value_or(CodePoint{U'?', 1});
        width += width_of(next.value);
        text.remove_prefix(next.bytes);
    }
    return width;
}

std::string cut(std::string_view text, std::size_t width, bool unicode)
{
    if (columns(text) <= width) return std::string(text);
    const std::string mark = unicode ? "…" : "...";
    if (width <= columns(mark)) return std::string(text.substr(0, width == 0 ? 0 : bytes_in(text, width)));
    return std::string(text.substr(0, bytes_in(text, width - columns(mark)))) + mark;
}

std::string from_column(std::string_view text, std::size_t begin)
{
    return begin == 0 ? std::string(text) : std::string(text.substr(bytes_in(text, begin)));
}

std::size_t bytes_of(std::string_view text, std::size_t count)
{
    std::size_t bytes = 0;
    for (; count > 0 && bytes < text.size(); --count) bytes += decode(text.substr(bytes)).value_or(CodePoint{U'?', 1}).bytes;
    return bytes;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width)
{
    if (width == 0 || text.empty()) return {std::string(text)};
    std::vector<std::string> pieces;
    while (!text.empty()) {
        const std::size_t bytes = bytes_in(text, width);
        pieces.emplace_back(text.substr(0, bytes));
        text.remove_prefix(bytes);
    }
    return pieces;
}

std::vector<std::string> wrap_words(std::string_view text, std::size_t width)
{
    std::vector<std::string> pieces;
    while (width > 0 && columns(text) > width) {
        const std::size_t room = bytes_in(text, width);
        const std::size_t space = text.rfind(' ', room);
        const bool breaks = space != std::string_view::npos && space > 0;
        pieces.emplace_back(text.substr(0, breaks ? space : room));
        text.remove_prefix(breaks ? space + 1 : room);
    }
    if (!text.empty() || pieces.empty()) pieces.emplace_back(text);
    return pieces;
}

std::string padded(std::string text, std::size_t width)
{
    const std::size_t used = columns(text);
    if (used < width) text.append(width - used, ' ');
    return text;
}

std::string shell_words(const Argv& argv)
{
    std::string line;
    for (const std::string& word : argv) {
        if (!line.empty()) line += ' ';
        const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   std::string_view("-_./:=@%+,").find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80;
        });
        if (plain) {
            line += word;
            continue;
        }
        line += '\'';
        for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
        line += '\'';
    }
    return line;
}

std::string size_text(std::uint64_t bytes)
{
    constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) return std::to_string(bytes) + " B";
    double size = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    // 1023.95 would be rounded to "1024.0".
    for (; size >= 1023.95 && unit + 1 < std::size(units); ++unit) size /= 1024;
    char text[32];
    std::snprintf(text, sizeof text, size < 99.95 ? "%.1f %s" : "%.0f %s", size, units[unit]);
    return text;
}

std::string duration_text(std::chrono::microseconds duration)
{
    const std::int64_t milliseconds = duration.count() / 1000;
    if (milliseconds < 1000) return std::to_string(std::max<std::int64_t>(milliseconds, 0)) + " ms";
    if (milliseconds < 60'000) {
        const std::int64_t tenths = milliseconds / 100;
        const std::string fraction = milliseconds < 10'000 && tenths % 10 != 0 ? "." + std::to_string(tenths % 10) : "";
        return std::to_string(tenths / 10) + fraction + " s";
    }
    struct Unit {
        std::int64_t seconds;
        const char* name;
    };
    constexpr Unit units[] = {{86'400, " d"}, {3'600, " h"}, {60, " min"}, {1, " s"}};
    const std::int64_t seconds = milliseconds / 1000;
    const auto* large = std::find_if(std::begin(units), std::end(units), [&](const Unit& unit) { return seconds >= unit.seconds; });
    std::string text = std::to_string(seconds / large->seconds) + large->name;
    const auto* small = large + 1;
    if (small != std::end(units) && seconds % large->seconds / small->seconds > 0) {
        text += " " + std::to_string(seconds % large->seconds / small->seconds) + small->name;
    }
    return text;
}

std::string ago(Clock::time_point then, Clock::time_point now)
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - then);
    return seconds.count() < 1 ? "just now" : duration_text(seconds) + " ago";
}

std::string utc_time(Clock::time_point time)
{
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    const auto fraction = std::chrono::duration_cast<std::chrono::microseconds>(time - whole).count();
    const std::time_t seconds = Clock::to_time_t(whole);
    std::tm broken{};
    char text[64];
    char result[64];
    if (gmtime_r(&seconds, &broken) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &broken) == 0) return "?";
    std::snprintf(result, sizeof result, "%.32s.%06dZ", text, static_cast<int>(fraction));
    return result;
}

std::string local_time(Clock::time_point time)
{
    const std::time_t seconds = Clock::to_time_t(time);
    std::tm broken{};
    char text[64];
    if (localtime_r(&seconds, &broken) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &broken) == 0) return "?";
    return text;
}

}  // namespace steward::cli
