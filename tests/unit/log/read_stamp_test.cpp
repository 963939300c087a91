#include "log/read_stamp.hpp"

#include <gtest/gtest.h>

namespace steward::log {
namespace {

using Time = std::chrono::system_clock::time_point;
constexpr std::int64_t seconds = 1795262535;  // 2026-11-21T12:02:15Z

TEST(ReadStamp, iso8601_is_read_with_microseconds_or_milliseconds)
{
    const auto micro = read_stamp("2026-11-21T12:02:15.123456Z GET /");
    ASSERT_TRUE(micro);
    EXPECT_EQ(micro->time, Time(std::chrono::seconds(seconds) + std::chrono::microseconds(123456)));
    EXPECT_EQ(micro->length, 28U);
    const auto milli = read_stamp("2026-11-21T12:02:15.123Z info");
    ASSERT_TRUE(milli);
    EXPECT_EQ(milli->time, Time(std::chrono::seconds(seconds) + std::chrono::milliseconds(123)));
    EXPECT_EQ(milli->length, 25U);
}

TEST(ReadStamp, tai64n_is_read)
{
    // 2^62 + 10 + seconds.
    const auto stamp = read_stamp("@400000006b018251075bca00 GET /");
    ASSERT_TRUE(stamp);
    EXPECT_EQ(stamp->time, Time(std::chrono::seconds(0x6b018251 - 10) + std::chrono::nanoseconds(123456000)));
    EXPECT_EQ(stamp->length, 26U);
}

TEST(ReadStamp, a_stamp_may_be_the_whole_line)
{
    EXPECT_TRUE(read_stamp("2026-11-21T12:02:15.123456Z "));
    EXPECT_FALSE(read_stamp("2026-11-21T12:02:15.123456Z"));
}

TEST(ReadStamp, anything_else_is_no_stamp)
{
    for (const char* line : {"",
                             " ",
                             "@",
                             "2026-11-21",
                             "2026-11-21 12:02:15.123456Z x",
                             "2026-11-21T12:02:15Z x",
                             "2026-11-21T12:02:15.1234Z x",
                             "2026-13-21T12:02:15.123456Z x",
                             "2026-11-00T12:02:15.123456Z x",
                             "2026-02-29T12:02:15.123456Z x",
                             "2026-11-21T24:02:15.123456Z x",
                             "2026-11-21T12:60:15.123456Z x",
                             "2026-11-21T12:02:61.123456Z x",
                             "1969-11-21T12:02:15.123456Z x",
                             "9999-11-21T12:02:15.123456Z x",
                             "x2026-11-21T12:02:15.123456Z x",
                             "@400000006b018251075bca0 x",
                             "@400000006B018251075BCA00 x",
                             "@300000006b018251075bca00 x",
                             "@7fffffffffffffff075bca00 x",
                             "@400000006b018251ffffffff x"}) {
        EXPECT_FALSE(read_stamp(line)) << line;
    }
}

}  // namespace
}  // namespace steward::log
