#include "supervise/turns.hpp"

#include <gmock/gmock.h>

namespace steward::supervise {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::size_t> places(const std::vector<Turns::Turn>& turns)
{
    std::vector<std::size_t> found;
    for (const auto& turn : turns) found.push_back(turn.place);
    return found;
}

// 0 ← 1 ← 3, 0 ← 2 ← 3; 3 requires 2.
Turns diamond()
{
    return Turns({{}, {{.of = 0}}, {{.of = 0}}, {{.of = 1}, {.of = 2, .required = true}}});
}

TEST(Turns, those_that_wait_for_nobody_are_first_and_others_follow_the_last_they_wait_for)
{
    Turns turns = diamond();
    EXPECT_THAT(places(turns.first()), ElementsAre(0));
    EXPECT_THAT(places(turns.done(0, true)), ElementsAre(1, 2));
    EXPECT_THAT(turns.done(1, true), IsEmpty());
    EXPECT_THAT(places(turns.done(2, true)), ElementsAre(3));
}

TEST(Turns, told_again_it_is_nobodys_turn)
{
    Turns turns = diamond();
    static_cast<void>(turns.done(0, true));
    EXPECT_TRUE(turns.is_done(0));
    EXPECT_THAT(turns.done(0, false), IsEmpty());
}

TEST(Turns, what_requires_a_failure_is_refused_and_what_only_waits_for_it_is_not)
{
    Turns turns = diamond();
    static_cast<void>(turns.done(0, false));
    static_cast<void>(turns.done(1, false));
    const auto last = turns.done(2, false);
    ASSERT_EQ(last.size(), 1U);
    EXPECT_TRUE(last.front().refused);
    EXPECT_EQ(last.front().lacking, 2U);

    Turns others({{}, {{.of = 0}}});
    EXPECT_FALSE(others.done(0, false).front().refused);
}

TEST(Turns, reversed_the_last_is_first)
{
    Turns turns(Turns::reversed({{}, {{.of = 0, .required = true}}, {{.of = 1}}}));
    EXPECT_THAT(places(turns.first()), ElementsAre(2));
    EXPECT_THAT(places(turns.done(2, true)), ElementsAre(1));
    EXPECT_THAT(places(turns.done(1, false)), ElementsAre(0));
}

}  // namespace
}  // namespace steward::supervise
