#include "record/pid_text.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "os/error.hpp"

namespace steward::record {

namespace {

using Verdict = PidFileReading::Verdict;

constexpr std::size_t most_digits = 7;  // of 2^22, the highest PID that Linux knows

PidFileReading refused(std::string reason)
{
    return {.verdict = Verdict::refused, .pid = 0, .reason = std::move(reason)};
}

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

}  // namespace

PidFileReading parse_pid_text(std::string_view content, std::int32_t pid_max, bool allow_pid_1)
{
    if (content.size() > pid_text_limit) return refused("holds more than a PID");
    if (std::ranges::all_of(content, is_blank)) return {.verdict = Verdict::empty, .pid = 0, .reason = "is empty"};
    std::string_view digits = content;
    if (digits.ends_with('\n')) {
        digits.remove_suffix(1);
        if (digits.ends_with('\r')) digits.remove_suffix(1);
    }
    const std::string holds = "holds " + os::quoted(digits);
    if (!std::ranges::all_of(digits, is_digit)) return refused(holds + ", which is no PID");
    if (digits.size() > most_digits) return refused(holds + ", a number too long for a PID");

    std::int32_t pid = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    if (pid == 0) return refused(holds + ", which is no process");
    if (pid == 1 && !allow_pid_1) return refused(holds + ", which is init");
    if (pid > pid_max) {
        return {.verdict = Verdict::too_large, .pid = 0, .reason = holds + ", above the highest PID " + std::to_string(pid_max)};
    }
    return {.verdict = Verdict::pid, .pid = pid, .reason = {}};
}

}  // namespace steward::record
