#include "log/stamper.hpp"

#include <gmock/gmock.h>

#include <string>
#include <string_view>

namespace steward::log {
namespace {

using namespace std::chrono_literals;

const WallTime noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 12h + 2min + 15s + 123456us;

std::string text_of(const Stamp& stamp)
{
    return {stamp.text().begin(), stamp.text().end()};
}

struct Outcome {
    std::string text;
    Stamped done;
};

Outcome stamped(std::string_view input, bool in_line = false, std::size_t room = 4096, std::size_t enough = 4096,
                LogTimestamps kind = LogTimestamps::iso8601)
{
    std::string output(room, '#');
    const auto done = stamp_lines(input, in_line, Stamp(kind, noon), output, enough);
    return {output.substr(0, done.written), done};
}

const std::string stamp = "2026-11-21T12:02:15.123456Z ";

TEST(Stamp, of_iso8601_has_microseconds_in_utc)
{
    EXPECT_EQ(text_of(Stamp(LogTimestamps::iso8601, noon)), stamp);
    EXPECT_EQ(text_of(Stamp(LogTimestamps::iso8601, WallTime{})), "1970-01-01T00:00:00.000000Z ");
    EXPECT_EQ(stamp.size(), longest_stamp);
}

TEST(Stamp, of_tai64n_is_the_label_that_multilog_writes)
{
    EXPECT_EQ(text_of(Stamp(LogTimestamps::tai64n, WallTime{})), "@400000000000000a00000000 ");
    EXPECT_EQ(text_of(Stamp(LogTimestamps::tai64n, WallTime{} + 1s + 500ns)), "@400000000000000b000001f4 ");
}

TEST(Stamp, of_none_is_empty)
{
    EXPECT_EQ(text_of(Stamp(LogTimestamps::none, noon)), "");
}

TEST(StampLines, puts_the_time_before_each_line_and_changes_no_byte)
{
    using namespace std::string_literals;
    EXPECT_EQ(stamped("one\ntwo\n").text, stamp + "one\n" + stamp + "two\n");
    EXPECT_EQ(stamped("\n\n").text, stamp + "\n" + stamp + "\n");
    EXPECT_EQ(stamped("a\0b\r\xff\n"s).text, stamp + "a\0b\r\xff\n"s);
    EXPECT_EQ(stamped("one\n", false, 4096, 4096, LogTimestamps::none).text, "one\n");
    EXPECT_EQ(stamped("").text, "");
}

TEST(StampLines, goes_on_with_a_line_that_was_begun)
{
    const auto begun = stamped("one\ntw");
    EXPECT_TRUE(begun.done.in_line);
    EXPECT_EQ(begun.done.lines, 1U);
    const auto ended = stamped("o\nthree\n", true);
    EXPECT_EQ(begun.text + ended.text, stamp + "one\n" + stamp + "two\n" + stamp + "three\n");
    EXPECT_FALSE(ended.done.in_line);
    EXPECT_TRUE(stamped("", true).done.in_line);
}

TEST(StampLines, takes_what_fits_and_no_more)
{
    std::string input;
    for (int i = 0; i < 500; ++i) input += std::string(static_cast<std::size_t>(i % 70), 'x') + "\n";
    for (std::size_t room = 40; room < 120; ++room) {
        std::string whole;
        bool in_line = false;
        for (std::string_view rest = input; !rest.empty();) {
            const auto part = stamped(rest, in_line, room);
            ASSERT_GT(part.done.taken, 0U);
            ASSERT_LE(part.done.written, room);
            whole += part.text;
            in_line = part.done.in_line;
            rest.remove_prefix(part.done.taken);
        }
        ASSERT_EQ(whole, stamped(input, false, 1 << 20, 1 << 20).text) << room;
    }
}

TEST(StampLines, ends_between_lines_once_there_is_enough)
{
    EXPECT_EQ(stamped("one\ntwo\nthree\n", false, 4096, 1).text, stamp + "one\n");
    EXPECT_EQ(stamped("one\ntwo\nthree\n", false, 4096, 33).text, stamp + "one\n" + stamp + "two\n");
    EXPECT_EQ(stamped("one\ntwo\nthree\n", false, 4096, 0).text, stamp + "one\n");
}

TEST(StampLength, tells_a_stamp_from_what_looks_like_one)
{
    EXPECT_EQ(stamp_length(stamp + "text", LogTimestamps::iso8601), stamp.size());
    EXPECT_EQ(stamp_length("@400000000000000b000001f4 x", LogTimestamps::tai64n), 26U);
    EXPECT_EQ(stamp_length(stamp + "text", LogTimestamps::none), 0U);
    EXPECT_EQ(stamp_length("2026-11-21 12:02:15.123456Z text", LogTimestamps::iso8601), 0U);
    EXPECT_EQ(stamp_length("2026", LogTimestamps::iso8601), 0U);
    EXPECT_EQ(stamp_length("", LogTimestamps::tai64n), 0U);
}

}  // namespace
}  // namespace steward::log
