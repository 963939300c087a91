// The rules are systemd's (systemd.exec(5), EnvironmentFile=; basic/env-file.c).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/launch_plan.hpp"

namespace steward::process {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::pair<std::string, std::string>> parsed(const std::string& text)
{
    auto result = parse_environment_file(text, "/etc/default/web");
    EXPECT_TRUE(result) << result.error().message();
    return result ? *result : std::vector<std::pair<std::string, std::string>>{};
}

std::string fault(const std::string& text)
{
    const auto result = parse_environment_file(text, "/etc/default/web");
    return result ? "" : result.error().message();
}

TEST(EnvironmentFile, assigns_line_by_line_and_the_last_line_needs_no_newline)
{
    EXPECT_THAT(parsed("A=1\nB=two words\n\nC="), ElementsAre(Pair("A", "1"), Pair("B", "two words"), Pair("C", "")));
}

TEST(EnvironmentFile, blanks_around_names_and_values_do_not_count)
{
    EXPECT_THAT(parsed("  A =  1  \n\tB= x y\t\n"), ElementsAre(Pair("A", "1"), Pair("B", "x y")));
}

TEST(EnvironmentFile, carriage_returns_end_lines_too)
{
    EXPECT_THAT(parsed("A=1\r\nB=2\r\n"), ElementsAre(Pair("A", "1"), Pair("B", "2")));
}

TEST(EnvironmentFile, comments_begin_with_a_hash_or_a_semicolon)
{
    EXPECT_THAT(parsed("# A=1\n;B=2\n  # C=3\nD=4 # no comment\n"), ElementsAre(Pair("D", "4 # no comment")));
}

TEST(EnvironmentFile, a_backslash_at_its_end_continues_a_comment)
{
    EXPECT_THAT(parsed("# A=1 \\\nB=2\nC=3\n"), ElementsAre(Pair("C", "3")));
}

TEST(EnvironmentFile, quotes_keep_blanks_and_newlines)
{
    EXPECT_THAT(parsed("A=\" x \"\nB=' y\n z '\n"), ElementsAre(Pair("A", " x "), Pair("B", " y\n z ")));
}

TEST(EnvironmentFile, quoted_pieces_are_joined)
{
    EXPECT_THAT(parsed("A=\"x\" 'y' \nB=\"x\"y\n"), ElementsAre(Pair("A", "xy"), Pair("B", "xy")));
}

TEST(EnvironmentFile, a_quote_inside_a_value_is_a_character)
{
    EXPECT_THAT(parsed("A=it's\nB=5\" disk\n"), ElementsAre(Pair("A", "it's"), Pair("B", "5\" disk")));
}

TEST(EnvironmentFile, double_quotes_know_the_escapes_of_a_shell)
{
    EXPECT_THAT(parsed(R"(A="\$x \"q\" \\ \n")"), ElementsAre(Pair("A", R"($x "q" \ \n)")));
}

TEST(EnvironmentFile, single_quotes_know_no_escapes)
{
    EXPECT_THAT(parsed(R"(A='\$x \n')"), ElementsAre(Pair("A", R"(\$x \n)")));
}

TEST(EnvironmentFile, a_backslash_outside_quotes_keeps_the_next_character)
{
    EXPECT_THAT(parsed("A=a\\ b\\\\c\nB=x\\ \n"), ElementsAre(Pair("A", "a b\\c"), Pair("B", "x ")));
}

TEST(EnvironmentFile, a_backslash_at_the_end_of_a_line_continues_it)
{
    EXPECT_THAT(parsed("A=one\\\n two\nB=\"x\\\ny\"\n"), ElementsAre(Pair("A", "one two"), Pair("B", "xy")));
}

TEST(EnvironmentFile, nothing_is_expanded)
{
    EXPECT_THAT(parsed("A=$HOME `id`\nB=\"${A}\"\n"), ElementsAre(Pair("A", "$HOME `id`"), Pair("B", "${A}")));
}

TEST(EnvironmentFile, the_lines_of_a_shell_script_are_skipped)
{
    EXPECT_THAT(parsed("if [ -x /bin/a ]; then\nexport A=1\n. /etc/x\nfi\n1B=2\n=3\nD-E=4\nOK=5\n"), ElementsAre(Pair("OK", "5")));
    EXPECT_THAT(parsed(""), IsEmpty());
}

TEST(EnvironmentFile, a_quote_left_open_is_an_error_that_names_its_line)
{
    EXPECT_EQ(fault("A=1\nB=\"x\nC=2\n"), "cannot read environment file '/etc/default/web': the quote in line 2 is not closed");
    EXPECT_EQ(fault("A='"), "cannot read environment file '/etc/default/web': the quote in line 1 is not closed");
}

TEST(EnvironmentFile, a_nul_byte_is_an_error)
{
    EXPECT_EQ(fault(std::string("A=1\0B=2", 7)), "cannot read environment file '/etc/default/web': it holds a NUL byte");
}

}  // namespace
}  // namespace steward::process
