#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <steward/words.hpp>

namespace steward {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(SplitWords, blanks_of_any_kind_and_number_separate)
{
    EXPECT_THAT(split_words("  -p\t80 \n -v  "), Optional(ElementsAre("-p", "80", "-v")));
    EXPECT_THAT(split_words(""), Optional(IsEmpty()));
    EXPECT_THAT(split_words(" \t\n"), Optional(IsEmpty()));
}

TEST(SplitWords, quotes_join_and_vanish)
{
    EXPECT_THAT(split_words("'a b' \"c d\" e'f'\"g\""), Optional(ElementsAre("a b", "c d", "efg")));
    EXPECT_THAT(split_words("'' \"\""), Optional(ElementsAre("", "")));
    EXPECT_THAT(split_words("it\"'\"s 'say \"hi\"'"), Optional(ElementsAre("it's", "say \"hi\"")));
}

TEST(SplitWords, a_backslash_takes_the_meaning_from_the_next_character)
{
    EXPECT_THAT(split_words(R"(a\ b \" \' \\ \n)"), Optional(ElementsAre("a b", "\"", "'", "\\", "n")));
}

TEST(SplitWords, inside_double_quotes_only_what_posix_says_can_be_escaped)
{
    EXPECT_THAT(split_words(R"("\$ \` \" \\ \n \'")"), Optional(ElementsAre(R"($ ` " \ \n \')")));
}

TEST(SplitWords, single_quotes_keep_backslashes)
{
    EXPECT_THAT(split_words(R"('a\n\')"), Optional(ElementsAre(R"(a\n\)")));
}

TEST(SplitWords, a_backslash_at_the_end_of_a_line_continues_it)
{
    EXPECT_THAT(split_words("a\\\nb \"c\\\nd\" \\\n e"), Optional(ElementsAre("ab", "cd", "e")));
}

TEST(SplitWords, nothing_is_expanded)
{
    EXPECT_THAT(split_words("$HOME `id` * ~ ;rm #x"), Optional(ElementsAre("$HOME", "`id`", "*", "~", ";rm", "#x")));
}

TEST(SplitWords, what_is_not_closed_is_refused)
{
    for (const char* text : {"'", "\"", "a 'b", "a \"b", "a\\", "\"a\\"}) EXPECT_EQ(split_words(text), std::nullopt) << text;
}

}  // namespace
}  // namespace steward
