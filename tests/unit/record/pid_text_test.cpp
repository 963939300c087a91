// What a PID file may say: the table of cases that steward is held to.
#include "record/pid_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "helpers/scratch.hpp"

namespace steward::record {

// gtest names a failing case by this.
void PrintTo(PidFileReading::Verdict verdict, std::ostream* to)
{
    static constexpr const char* names[] = {"missing", "empty", "pid", "too_large", "refused", "unreadable"};
    *to << names[static_cast<int>(verdict)];
}

namespace {

using Verdict = PidFileReading::Verdict;
using namespace std::string_literals;

constexpr std::int32_t highest = 4194304;

struct Case {
    std::string name;
    std::string content;
    Verdict verdict;
    std::int32_t pid = 0;
};

const std::vector<Case> cases = {
    {"empty", "", Verdict::empty},
    {"blanks", " \t ", Verdict::empty},
    {"newline_alone", "\n", Verdict::empty},
    {"blank_lines", "\r\n \n", Verdict::empty},
    {"letters", "abc\n", Verdict::refused},
    {"minus_one_signals_everybody", "-1\n", Verdict::refused},
    {"minus_five_is_a_group", "-5\n", Verdict::refused},
    {"zero_is_the_callers_group", "0\n", Verdict::refused},
    {"many_zeros", "0000\n", Verdict::refused},
    {"one_is_init", "1\n", Verdict::refused},
    {"plus", "+7\n", Verdict::refused},
    {"hexadecimal", "0x1\n", Verdict::refused},
    {"fraction", "1.5\n", Verdict::refused},
    {"trailing_letters", "12abc\n", Verdict::refused},
    {"leading_blank", " 123\n", Verdict::refused},
    {"trailing_blank", "123 \n", Verdict::refused},
    {"two_numbers", "123 456\n", Verdict::refused},
    {"two_lines", "123\n456\n", Verdict::refused},
    {"two_newlines", "123\n\n", Verdict::refused},
    {"leading_newline", "\n123\n", Verdict::refused},
    {"carriage_return_alone", "123\r", Verdict::refused},
    {"two_to_the_32_plus_one", "4294967297\n", Verdict::refused},
    {"two_to_the_32_plus_two", "4294967298\n", Verdict::refused},
    {"ten_to_the_11", "100000000000\n", Verdict::refused},
    {"thirty_digits", "123456789012345678901234567890\n", Verdict::refused},
    {"two_to_the_64_plus_5", "18446744073709551621\n", Verdict::refused},
    {"eight_digits", "10000000\n", Verdict::refused},
    {"nul_behind", "123\0"s, Verdict::refused},
    {"nul_between", "12\0"s + "3\n", Verdict::refused},
    {"binary", "\x7f\x45\x4c\x46\x02\x01", Verdict::refused},
    {"utf8_digits", "\xd9\xa1\xd9\xa2\n", Verdict::refused},
    {"longer_than_any_pid", std::string(65, '1'), Verdict::refused},
    {"longer_than_any_pid_by_blanks", std::string(65, ' '), Verdict::refused},
    {"two_is_the_first", "2\n", Verdict::pid, 2},
    {"usual", "4121\n", Verdict::pid, 4121},
    {"no_newline", "4121", Verdict::pid, 4121},
    {"crlf", "4121\r\n", Verdict::pid, 4121},
    {"seven_digits_are_taken_whole", "4194301\n", Verdict::pid, 4194301},
    {"leading_zeros_are_decimal", "0010\n", Verdict::pid, 10},
    {"the_highest", "4194304\n", Verdict::pid, 4194304},
    {"above_the_highest", "4194305\n", Verdict::too_large},
    {"seven_nines", "9999999\n", Verdict::too_large},
};

class PidText : public testing::TestWithParam<Case> {};

TEST_P(PidText, is_judged)
{
    const PidFileReading reading = parse_pid_text(GetParam().content, highest, false);
    EXPECT_EQ(reading.verdict, GetParam().verdict) << reading.reason;
    EXPECT_EQ(reading.pid, GetParam().pid);
    EXPECT_EQ(reading.reason.empty(), reading.verdict == Verdict::pid);
}

// The same through a file, so that nothing on the way to the text changes its meaning.
TEST_P(PidText, is_judged_alike_in_a_file)
{
    const test::ScratchDirectory scratch;
    const PidFileReading reading = read_pid_file(scratch.write("web.pid", GetParam().content), 0);
    EXPECT_EQ(reading.verdict == Verdict::refused, GetParam().verdict == Verdict::refused) << reading.reason;
    // This host's pid_max may be lower than Linux's.
    if (GetParam().pid < 32768) {
        EXPECT_EQ(reading.verdict, GetParam().verdict) << reading.reason;
        EXPECT_EQ(reading.pid, GetParam().pid);
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, PidText, testing::ValuesIn(cases), [](const auto& a_case) { return a_case.param.name; });

TEST(PidTextOfInit, is_taken_only_where_the_record_proves_it)
{
    EXPECT_EQ(parse_pid_text("1\n", highest, false).verdict, Verdict::refused);
    const PidFileReading reading = parse_pid_text("1\n", highest, true);
    EXPECT_EQ(reading.verdict, Verdict::pid);
    EXPECT_EQ(reading.pid, 1);
}

TEST(PidTextAbovePidMax, is_nobody)
{
    EXPECT_EQ(parse_pid_text("32769\n", 32768, false).verdict, Verdict::too_large);
    EXPECT_EQ(parse_pid_text("32768\n", 32768, false).verdict, Verdict::pid);
}

TEST(PidTextAbovePidMax, is_nobody_in_a_file_too)
{
    const test::ScratchDirectory scratch;
    const int limit = std::stoi(test::content_of("/proc/sys/kernel/pid_max"));
    EXPECT_EQ(read_pid_file(scratch.write("web.pid", std::to_string(limit + 1) + "\n"), 0).verdict, Verdict::too_large);
    EXPECT_EQ(read_pid_file(scratch.write("web.pid", std::to_string(limit) + "\n"), 0).verdict, Verdict::pid);
}

TEST(PidTextReason, quotes_what_the_file_holds)
{
    EXPECT_EQ(parse_pid_text("-1\n", highest, false).reason, "holds '-1', which is no PID");
    EXPECT_EQ(parse_pid_text("1\x1b[2J\n", highest, false).reason, "holds '1\\x1b[2J', which is no PID");
}

}  // namespace
}  // namespace steward::record
