#include "cli/tree.hpp"

#include <gmock/gmock.h>

namespace steward::cli {
namespace {

using testing::ElementsAre;

using Names = std::vector<std::string>;

ServiceSpec::Dependencies wishes(Names required, Names wanted = {})
{
    return {.required = std::move(required), .wanted = std::move(wanted), .after = {}, .before = {}};
}

Names drawn(const Names& roots, const DependencyMap& all, const Style& style = {})
{
    Names lines;
    for (const Twig& twig : tree_of(roots, all, style)) lines.push_back(twig.lead + twig.name + (twig.note.empty() ? "" : " " + twig.note));
    return lines;
}

TEST(Tree, those_that_nobody_needs_stand_at_the_left)
{
    EXPECT_THAT(drawn({}, {{"web", wishes({"api"}, {"cache"})}, {"api", wishes({"db"})}, {"db", {}}, {"cache", {}}, {"alone", {}}}),
                ElementsAre("alone", "web", "├─ api", "│  └─ db", "└─ cache wanted"));
}

TEST(Tree, without_unicode_it_is_drawn_in_ascii)
{
    EXPECT_THAT(drawn({}, {{"web", wishes({"a", "b"})}, {"a", {}}, {"b", {}}}, {.unicode = false}), ElementsAre("web", "|- a", "`- b"));
}

TEST(Tree, what_was_told_above_is_not_told_again)
{
    EXPECT_THAT(drawn({}, {{"a", wishes({"base"})}, {"b", wishes({"base"})}, {"base", wishes({"disk"})}, {"disk", {}}}),
                ElementsAre("a", "└─ base", "   └─ disk", "b", "└─ base above"));
}

TEST(Tree, a_circle_ends)
{
    EXPECT_THAT(drawn({}, {{"a", wishes({"b"})}, {"b", wishes({"a"})}}), ElementsAre("a", "└─ b", "   └─ a above"));
}

TEST(Tree, named_roots_come_with_what_they_need_and_nothing_else)
{
    EXPECT_THAT(drawn({"api"}, {{"web", wishes({"api"})}, {"api", wishes({"db", "network"})}, {"db", {}}}), ElementsAre("api", "└─ db"));
}

}  // namespace
}  // namespace steward::cli
