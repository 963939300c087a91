#include "supervise/notification.hpp"

#include <algorithm>
#include <charconv>

namespace steward::supervise {

namespace {

constexpr std::size_t longest_status = 256;
constexpr std::int32_t highest_pid = 1 << 22;
constexpr int highest_errno = 4095;
constexpr std::int64_t longest_time = std::int64_t{1'000'000} * 3600 * 24 * 366;  // µs

template <class Number>
std::optional<Number> number(std::string_view text, Number lowest, Number highest)
{
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < lowest || value > highest) return std::nullopt;
    return value;
}

// How many bytes of a UTF-8 character begin here; 0: none does.
std::size_t character_at(std::string_view text)
{
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t size = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : (lead & 0xf0) == 0xe0       ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
    if (size > text.size()) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
    }
    return size;
}

// It is shown on terminals: what is no printable character is shown as one that is.
std::string printable(std::string_view text)
{
    std::string line;
    while (!text.empty() && line.size() < longest_status) {
        const std::size_t size = character_at(text);
        const bool control = size == 1 && (text.front() < ' ' || text.front() == 0x7f);
        const bool late_control = size == 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0;
        line += size == 0 || control || late_control ? std::string_view("?") : text.substr(0, size);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return line;
}

// Whether the value is one that the variable can have.
bool take(Said& said, std::string_view name, std::string_view value)
{
    const auto set = [](bool& flag, bool known) { return flag = flag || known, known; };
    const auto time = [&](std::optional<Duration>& into, std::int64_t lowest) {
        const auto read = number<std::int64_t>(value, lowest, longest_time);
        if (read) into = Duration(*read);
        return read.has_value();
    };
    if (name == "READY") return set(said.ready, value == "1");
    if (name == "RELOADING") return set(said.reloading, value == "1");
    if (name == "STOPPING") return set(said.stopping, value == "1");
    if (name == "FDSTORE") return set(said.stores_descriptors, value == "1");
    if (name == "WATCHDOG") return value == "trigger" ? set(said.failing, true) : set(said.alive, value == "1");
    if (name == "WATCHDOG_USEC") return time(said.watchdog_interval, 1);
    if (name == "EXTEND_TIMEOUT_USEC") return time(said.extend_timeout, 0);
    if (name == "STATUS") return said.status = printable(value), true;
    if (name == "MAINPID") {
        const auto pid = number<std::int32_t>(value, 2, highest_pid);
        said.main_pid = pid.value_or(0);
        return pid.has_value();
    }
    if (name == "ERRNO") {
        const auto error = number<int>(value, 0, highest_errno);
        said.os_errno = error.value_or(0);
        return error.has_value();
    }
    return true;
}

}  // namespace

tl::expected<Said, std::string> read_notification(std::string_view text)
{
    const auto spoilt = [](std::string why) { return tl::unexpected<std::string>(std::move(why)); };
    Said said;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.empty()) continue;
        const auto equals = line.find('=');
        if (equals == std::string_view::npos || equals == 0) return spoilt("a line of it is no assignment: '" + printable(line) + "'");
        if (!take(said, line.substr(0, equals), line.substr(equals + 1))) {
            return spoilt("it holds the impossible " + printable(line));
        }
    }
    return said;
}

}  // namespace steward::supervise
