#include "supervise/labelled_terminal.hpp"

#include <gtest/gtest.h>

namespace steward::supervise {
namespace {

TEST(LabelledLines, every_line_stands_behind_the_label)
{
    LabelledLines lines("web | ");
    EXPECT_EQ(lines.take("one\ntwo\n\n"), "web | one\nweb | two\nweb | \n");
    EXPECT_EQ(lines.end(), "");
}

TEST(LabelledLines, a_line_that_comes_in_parts_is_told_when_it_is_whole)
{
    LabelledLines lines("web | ");
    EXPECT_EQ(lines.take("on"), "");
    EXPECT_EQ(lines.take("e"), "");
    EXPECT_EQ(lines.take("\ntw"), "web | one\n");
    EXPECT_EQ(lines.take("o\n"), "web | two\n");
}

TEST(LabelledLines, the_last_line_is_ended_where_the_program_did_not)
{
    LabelledLines lines("web | ");
    EXPECT_EQ(lines.take("one\nlast"), "web | one\n");
    EXPECT_EQ(lines.end(), "web | last\n");
    EXPECT_EQ(lines.end(), "");
}

TEST(LabelledLines, a_line_without_end_is_cut_before_it_fills_the_memory)
{
    LabelledLines lines("web | ");
    std::string told;
    const std::string piece(5000, 'x');
    for (int i = 0; i < 4; ++i) told += lines.take(piece);
    EXPECT_EQ(told, "web | " + std::string(20000, 'x') + "\n");
    EXPECT_EQ(lines.end(), "");
}

TEST(LabelledLines, any_bytes_pass)
{
    LabelledLines lines("web | ");
    const std::string bytes("\0\xff\x1b[31m\r", 8);
    EXPECT_EQ(lines.take(bytes + "\n"), "web | " + bytes + "\n");
}

}  // namespace
}  // namespace steward::supervise
