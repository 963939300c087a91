#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include <steward/words.hpp>

namespace steward {
namespace {

using Time = std::chrono::system_clock::time_point;
using namespace std::chrono_literals;

// In a zone that is not UTC, and that has a summer time.
class ParseTime : public testing::Test {
  protected:
    ParseTime()
    {
        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
    }
    ~ParseTime() override
    {
        unsetenv("TZ");
        tzset();
    }
    static std::optional<Time> at(std::int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

    const Time now = *at(1795262535);  // 2026-11-21 12:02:15 UTC, 13:02:15 in the zone
    [[nodiscard]] std::optional<Time> parse(const char* text) const { return parse_time(text, now); }
};

TEST_F(ParseTime, a_date_and_a_clock_are_local)
{
    EXPECT_EQ(parse("2026-11-21"), at(1795215600));
    EXPECT_EQ(parse("2026-11-21 13:02"), at(1795262520));
    EXPECT_EQ(parse("2026-11-21T13:02:15"), now);
    EXPECT_EQ(parse("2026-07-01 02:00"), at(1782864000));  // summer
    EXPECT_EQ(parse("2026-11-21 13:02:15.25"), now + 250ms);
}

TEST_F(ParseTime, a_zone_may_be_said)
{
    EXPECT_EQ(parse("2026-11-21T12:02:15Z"), now);
    EXPECT_EQ(parse("2026-11-21 12:02:15 UTC"), now);
    EXPECT_EQ(parse("2026-11-21T12:02:15.123456Z"), now + 123456us);
    EXPECT_EQ(parse("2026-11-21T14:32:15+02:30"), now);
    EXPECT_EQ(parse("2026-11-21T07:02:15-0500"), now);
}

TEST_F(ParseTime, a_clock_alone_is_todays)
{
    EXPECT_EQ(parse("13:02:15"), now);
    EXPECT_EQ(parse("0:30"), at(1795217400));
}

TEST_F(ParseTime, words_are_midnights)
{
    EXPECT_EQ(parse("now"), now);
    EXPECT_EQ(parse("today"), at(1795215600));
    EXPECT_EQ(parse("yesterday"), at(1795129200));
    EXPECT_EQ(parse("tomorrow"), at(1795302000));
    EXPECT_EQ(parse("@1795262535"), now);
    EXPECT_EQ(parse("@1795262535.5"), now + 500ms);
}

TEST_F(ParseTime, a_duration_lies_in_the_past)
{
    for (const char* text : {"1h", "-1h", "1h ago", "1 hour ago", "60min", "60 minutes ago", "30 min 30min ago", " 3600s "}) {
        EXPECT_EQ(parse(text), now - 1h) << text;
    }
    EXPECT_EQ(parse("1.5h"), now - 90min);
    EXPECT_EQ(parse("1h 30m ago"), now - 90min);
    EXPECT_EQ(parse("2 weeks ago"), now - 336h);
    EXPECT_EQ(parse("+1h"), now + 1h);
}

TEST_F(ParseTime, anything_else_is_refused)
{
    for (const char* text : {"",
                             " ",
                             "ago",
                             "h",
                             "5",
                             "1 fortnight ago",
                             "2026",
                             "2026-13-01",
                             "2026-11-32",
                             "2026-11-21x",
                             "2026-11-21 25:00",
                             "2026-11-21 12:60",
                             "12:0",
                             "2026-11-21T",
                             "@",
                             "@x",
                             "--1h",
                             "1h later",
                             "2026-11-21 12:00+25:00",
                             "99999999 weeks"}) {
        EXPECT_EQ(parse(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace steward
