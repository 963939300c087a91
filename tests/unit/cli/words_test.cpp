#include <steward/words.hpp>

#include <gtest/gtest.h>

namespace steward {

namespace {

const std::vector<std::string> verbs = {"run", "start", "stop", "restart", "status", "signal", "list", "show"};

TEST(Nearest, takes_a_swap_of_neighbours_for_one_error)
{
    EXPECT_EQ(edit_distance("stauts", "status"), 1U);
    EXPECT_EQ(nearest("stauts", verbs), "status");
}

TEST(Nearest, counts_insertions_removals_and_replacements)
{
    EXPECT_EQ(edit_distance("", "stop"), 4U);
    EXPECT_EQ(edit_distance("stop", ""), 4U);
    EXPECT_EQ(edit_distance("comand", "command"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Nearest, does_not_care_for_case)
{
    EXPECT_EQ(nearest("START", verbs), "start");
}

TEST(Nearest, completes_a_beginning_that_only_one_candidate_has)
{
    EXPECT_EQ(nearest("sig", verbs), "signal");
    EXPECT_EQ(nearest("s", verbs), "");
}

TEST(Nearest, is_silent_when_nothing_is_near)
{
    EXPECT_EQ(nearest("frobnicate", verbs), "");
    EXPECT_EQ(nearest("x", verbs), "");
    EXPECT_EQ(nearest("", verbs), "");
    EXPECT_EQ(nearest(std::string(100'000, 's'), verbs), "");
}

TEST(ParseDuration, takes_one_number_and_one_unit)
{
    EXPECT_EQ(parse_duration("0s"), Duration(0));
    EXPECT_EQ(parse_duration("7us"), Duration(7));
    EXPECT_EQ(parse_duration("500ms"), std::chrono::milliseconds(500));
    EXPECT_EQ(parse_duration("10s"), std::chrono::seconds(10));
    EXPECT_EQ(parse_duration("2min"), std::chrono::minutes(2));
    EXPECT_EQ(parse_duration("3h"), std::chrono::hours(3));
    EXPECT_EQ(parse_duration("1d"), std::chrono::hours(24));
}

TEST(ParseDuration, refuses_everything_else)
{
    for (const char* text :
         {"", "5", "s", "-1s", "-0s", "+1s", " 1s", "1 s", "1s ", "1.s", "1m", "1S", "1h30min", "99999999999999999999s", "200000000d"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

}  // namespace

}  // namespace steward
