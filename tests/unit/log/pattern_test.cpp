#include "log/pattern.hpp"

#include <gtest/gtest.h>

namespace steward::log {
namespace {

using namespace std::string_literals;

TEST(Pattern, matches_anywhere_in_the_line)
{
    const Pattern pattern = std::move(Pattern::compile("err(or)?").value());
    EXPECT_TRUE(pattern.matches("an error"));
    EXPECT_FALSE(pattern.matches("all well"));
    EXPECT_FALSE(pattern.matches("ERROR"));
    EXPECT_TRUE(Pattern::compile("(?i)error")->matches("ERROR"));
    EXPECT_TRUE(Pattern::compile("^a.*z$")->matches("a to z"));
}

TEST(Pattern, bytes_of_any_kind_may_stand_in_the_line)
{
    const Pattern pattern = std::move(Pattern::compile("needle").value());
    EXPECT_TRUE(pattern.matches("\0\xff needle \x80"s));
    EXPECT_FALSE(pattern.matches("\0\xff\x80"s));
}

TEST(Pattern, what_is_none_is_refused_with_the_reason)
{
    const auto pattern = Pattern::compile("a(b");
    ASSERT_FALSE(pattern);
    EXPECT_EQ(pattern.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(pattern.error().message(), "cannot use the pattern 'a(b': missing ): a(b");
}

}  // namespace
}  // namespace steward::log
