#include "config/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/source.hpp"

namespace steward::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string fault_of(const std::string& text)
{
    Node root;
    const auto fault = parse_document(text, root);
    return fault ? std::to_string(fault->place.line) + ":" + std::to_string(fault->place.column) + " " + fault->message : "";
}

Node parsed(const std::string& text)
{
    Node root;
    EXPECT_EQ(fault_of(text), "");
    (void)parse_document(text, root);
    return root;
}

TEST(Document, keys_and_values_keep_their_places)
{
    const Node root = parsed("[a]\n  key = [1,\n  \"x\"]\n");
    const Node& table = root.members.at(0).value;
    const Member& member = table.members.at(0);
    EXPECT_EQ(member.place.line, 2U);
    EXPECT_EQ(member.place.column, 3U);
    EXPECT_EQ(member.value.place.line, 2U);
    EXPECT_EQ(member.value.place.column, 9U);
    EXPECT_EQ(member.value.items.at(1).place.line, 3U);
    EXPECT_EQ(member.value.items.at(1).place.column, 3U);
}

TEST(Document, every_string_prints_to_one_line_that_reads_back_the_same)
{
    std::string all;
    for (char c = 0x01; c < 0x7f; ++c) all += c;
    for (const std::string& text :
         {std::string(), all, std::string("\0", 1), std::string("\x7f"), std::string("é\u0085\u2028🙂'''\"\"\"\\"),
          std::string("a\r\nb\tc"), std::string("'"), std::string("%i $HOME `x`")}) {
        const std::string printed = print(Node::of(text));
        EXPECT_EQ(printed.find('\n'), std::string::npos) << printed;
        EXPECT_EQ(parsed("x = " + printed).members.at(0).value.text, text) << printed;
        EXPECT_EQ(parsed(print_key(text) + " = 1").members.at(0).key, text) << printed;
    }
}

TEST(Document, numbers_print_in_their_shortest_form)
{
    EXPECT_EQ(print(Node::of(0.1)), "0.1");
    EXPECT_EQ(print(Node::of(2.0)), "2");
    EXPECT_EQ(print(Node::of(std::int64_t{-5})), "-5");
}

TEST(Document, a_key_of_a_thousand_parts_is_refused_before_it_costs_anything)
{
    std::string dots = "a";
    for (int i = 0; i < 300'000; ++i) dots += ".a";
    for (const std::string& text :
         {dots + " = 1", "[" + dots + "]", "[[" + dots + "]]", "x = { " + dots + " = 1 }", "x = [{ " + dots + " = 1 }]"}) {
        EXPECT_THAT(fault_of("# a comment\n" + text), StartsWith("2:"));
    }
}

TEST(Document, dots_are_found_after_anything_that_could_hide_them)
{
    const std::string dots = ".a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1";
    for (const std::string before : {R"(s = """a"""", b)", R"(s = """a""""", b)", R"(s = '''a'''', b)", R"(s = "\"", b)", R"(s = '\', b)",
                                     R"(s = "", b)", R"(s = '', b)", R"(s = """""", b)", R"(s = """\""" """, b)"}) {
        EXPECT_THAT(fault_of("x = { " + before + dots + " }"), HasSubstr("too many dotted parts")) << before;
    }
}

TEST(Document, dots_in_strings_comments_and_many_keys_are_no_depth)
{
    EXPECT_EQ(fault_of("# ....................................\nx = \"....................................\" # ...................\n"), "");
    EXPECT_EQ(fault_of("x = '''\n...........................\n'''\ny = \"\"\"\n........................\"\"\"\n"), "");
    EXPECT_EQ(fault_of("x = [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]"), "");
}

TEST(Document, deep_values_are_refused)
{
    EXPECT_THAT(fault_of("x = " + std::string(100'000, '[')), HasSubstr("not TOML"));
}

// Each of these once ran into an assertion or an "unreachable" of the TOML library.
TEST(Document, malformed_text_is_a_fault_and_never_an_abort)
{
    for (const std::string text :
         {"[|og]", "[é]", "é = 1", "x = é", "x = 1é", "x é = 1", "[", "[[", "x", "x =", "x = [", "x = {", "\"", "'''", "= 1", ".a = 1"}) {
        EXPECT_NE(fault_of(text), "") << text;
    }
    EXPECT_EQ(fault_of("x = \"\"\"\\\n  é\"\"\""), "");
}

TEST(Source, faults_come_sorted_by_place_with_their_line)
{
    Source source("x.toml", "first\r\nsecond\nthird");
    source.fault({3, 1}, "c");
    source.fault({1, 2}, "b");
    source.fault({1, 1}, "a");
    const auto faults = source.take_faults();
    ASSERT_EQ(faults.size(), 3U);
    EXPECT_EQ(faults[0], (Diagnostic{"x.toml", 1, 1, "a", "first", ""}));
    EXPECT_EQ(faults[1].message, "b");
    EXPECT_EQ(faults[2].source_line, "third");
}

TEST(Source, nothing_it_tells_can_steer_a_terminal)
{
    const std::string line = "a\x1b[2J\x7f\xc2\x9b\t.";
    Source source("x.toml", line);
    source.fault({1, 1}, line);
    const auto faults = source.take_faults();
    EXPECT_EQ(faults.at(0).source_line, "a?[2J??\t.");
    EXPECT_EQ(faults.at(0).message, "a?[2J??\t.");
}

TEST(Source, a_long_line_is_cut_between_characters)
{
    std::string line = "x";
    while (line.size() < 5000) line += "é";
    Source source("x.toml", line);
    source.fault({1, 1}, "too long");
    const std::string shown = source.take_faults().at(0).source_line;
    EXPECT_EQ(shown.size() % 2, 1U);  // whole characters: one byte, then two each
    EXPECT_LE(shown.size(), 1000U);
}

TEST(Source, past_a_few_hundred_the_rest_are_counted)
{
    Source source("x.toml", "x");
    for (int i = 0; i < 1000; ++i) source.fault({1, 1}, "fault");
    const auto faults = source.take_faults();
    EXPECT_EQ(faults.size(), 201U);
    EXPECT_EQ(faults.back().message, "and 800 more faults");
}

}  // namespace
}  // namespace steward::config
