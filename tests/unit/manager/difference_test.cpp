#include "manager/difference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "helpers/scratch.hpp"

namespace steward::manager {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Difference, the_same_has_none)
{
    EXPECT_THAT(difference("f", "a\nb\n", "a\nb\n"), IsEmpty());
    EXPECT_THAT(difference("f", "", ""), IsEmpty());
}

TEST(Difference, a_changed_line_stands_between_three_lines_of_context)
{
    EXPECT_THAT(difference("f", "1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nfive\n6\n7\n8\n"),
                ElementsAre("--- f", "+++ f", "@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8"));
}

TEST(Difference, a_file_that_was_empty_or_becomes_so)
{
    EXPECT_THAT(difference("f", "", "a\n"), ElementsAre("--- f", "+++ f", "@@ -0,0 +1 @@", "+a"));
    EXPECT_THAT(difference("f", "a\n", ""), ElementsAre("--- f", "+++ f", "@@ -1 +0,0 @@", "-a"));
}

TEST(Difference, a_missing_last_newline_is_a_difference)
{
    EXPECT_THAT(difference("f", "a\n", "a"), ElementsAre("--- f", "+++ f", "@@ -1 +1 @@", "-a", "+a", "\\ No newline at end of file"));
}

TEST(Difference, far_changes_are_hunks_of_their_own_and_near_ones_are_not)
{
    std::string before;
    for (int line = 1; line <= 30; ++line) before += std::to_string(line) + "\n";
    std::string far = before;
    far.replace(far.find("3\n"), 2, "x\n").replace(far.find("25\n"), 3, "y\n");
    EXPECT_EQ(std::ranges::count_if(difference("f", before, far), [](const auto& line) { return line.starts_with("@@"); }), 2);
    std::string near = before;
    near.replace(near.find("13\n"), 3, "x\n").replace(near.find("18\n"), 3, "y\n");
    EXPECT_EQ(std::ranges::count_if(difference("f", before, near), [](const auto& line) { return line.starts_with("@@"); }), 1);
}

// patch(1) is the judge: what it makes of the old text by the difference is the new one.
TEST(Difference, patch_makes_the_new_text_of_the_old_one)
{
    if (std::system("patch --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "patch is not installed";
    const test::ScratchDirectory scratch;
    unsigned seed = 7;
    const auto next = [&](unsigned below) { return (seed = seed * 1103515245 + 12345) / 65536 % below; };
    for (int round = 0; round < 60; ++round) {
        std::string before;
        std::string after;
        for (unsigned line = 0; line < next(40); ++line) {
            const std::string text = std::to_string(next(6)) + "\n";
            const unsigned what = next(8);
            if (what != 0) before += text;
            if (what != 1) after += what == 2 ? "new " + text : text;
        }
        if (next(3) == 0) after += "without a newline";
        std::string patch;
        for (const std::string& line : difference("file", before, after)) patch += line + "\n";
        scratch.write("file", before);
        scratch.write("patch", patch);
        if (before != after) {
            ASSERT_EQ(std::system(("cd " + scratch.path() + " && patch -s file patch").c_str()), 0) << patch;
        }
        // An empty result is a file that patch removes.
        ASSERT_EQ(test::content_of(scratch / "file"), after) << patch;
    }
}

TEST(Difference, what_is_too_much_to_compare_is_replaced_as_a_whole)
{
    std::string before = "same\n";
    std::string after = "same\n";
    for (int line = 0; line < 3000; ++line) {
        before += "a" + std::to_string(line) + "\n";
        after += "b" + std::to_string(line) + "\n";
    }
    EXPECT_EQ(difference("f", before, after).size(), 3u + 1 + 6000);
}

}  // namespace
}  // namespace steward::manager
