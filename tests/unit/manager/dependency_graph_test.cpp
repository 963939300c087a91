#include "manager/dependency_graph.hpp"

#include <gmock/gmock.h>

namespace steward::manager {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Node = DependencyGraph::Node;
using Names = std::vector<std::string>;

Node requires_all(const std::string& name, Names others)
{
    return {.name = name, .wishes = {.required = std::move(others), .wanted = {}, .after = {}, .before = {}}};
}
Node after(const std::string& name, Names others)
{
    return {.name = name, .wishes = {.required = {}, .wanted = {}, .after = std::move(others), .before = {}}};
}
Node before(const std::string& name, Names others)
{
    return {.name = name, .wishes = {.required = {}, .wanted = {}, .after = {}, .before = std::move(others)}};
}

Names ordered(const std::vector<Node>& nodes)
{
    Names names;
    for (const std::size_t place : DependencyGraph(nodes).order()) names.push_back(nodes[place].name);
    return names;
}

TEST(DependencyGraph, what_nothing_orders_keeps_its_place)
{
    EXPECT_THAT(ordered({{"c", {}}, {"a", {}}, {"b", {}}}), ElementsAre("c", "a", "b"));
}

TEST(DependencyGraph, requires_wants_and_after_come_first_and_before_comes_later)
{
    EXPECT_THAT(ordered({requires_all("web", {"db"}), after("db", {"disk"}), {"disk", {}}, before("net", {"disk"})}),
                ElementsAre("net", "disk", "db", "web"));
    EXPECT_THAT(ordered({{"web", {.required = {}, .wanted = {"cache"}, .after = {}, .before = {}}}, {"cache", {}}}),
                ElementsAre("cache", "web"));
}

TEST(DependencyGraph, a_link_named_twice_is_one_and_is_required_if_either_is)
{
    const DependencyGraph graph(
        {{"web", {.required = {"db"}, .wanted = {"db"}, .after = {"db", "db"}, .before = {}}}, before("db", {"web"})});
    EXPECT_THAT(graph.before(0), ElementsAre(DependencyGraph::Link{.of = 1, .required = true}));
    EXPECT_THAT(graph.before(1), IsEmpty());
    EXPECT_THAT(graph.followers(), ElementsAre(IsEmpty(), ElementsAre(0)));
}

TEST(DependencyGraph, before_turns_the_order_of_what_is_required_or_wanted)
{
    EXPECT_THAT(ordered({{"web", {.required = {"a"}, .wanted = {"b"}, .after = {}, .before = {"a", "b"}}}, {"a", {}}, {"b", {}}}),
                ElementsAre("web", "a", "b"));
}

TEST(DependencyGraph, names_of_nobody_and_neutral_names_order_nothing)
{
    const DependencyGraph graph({requires_all("web", {"nobody", "network"}), requires_all("network", {"web"})});
    EXPECT_THAT(graph.before(0), IsEmpty());
    EXPECT_THAT(graph.cycle(), IsEmpty());
}

TEST(DependencyGraph, a_cycle_is_told_as_the_way_around)
{
    const DependencyGraph graph({requires_all("web", {"db"}), after("db", {"disk"}), before("db2", {}), requires_all("disk", {"db"})});
    EXPECT_THAT(graph.cycle(), ElementsAre("db", "disk", "db"));
    EXPECT_THAT(graph.cycle(0), ElementsAre("db", "disk", "db"));
    EXPECT_THAT(graph.cycle(2), IsEmpty());
    EXPECT_THAT(DependencyGraph({requires_all("web", {"web"})}).cycle(), ElementsAre("web", "web"));
    EXPECT_EQ(path_text(graph.cycle()), "db → disk → db");
}

TEST(DependencyGraph, those_of_a_cycle_have_no_place_in_the_order)
{
    EXPECT_THAT(ordered({requires_all("a", {"b"}), requires_all("b", {"a"}), {"c", {}}}), ElementsAre("c"));
}

TEST(DependencyGraph, a_diamond_is_no_cycle_and_a_long_chain_is_no_deep_recursion)
{
    EXPECT_THAT(
        ordered({requires_all("top", {"left", "right"}), requires_all("left", {"root"}), requires_all("right", {"root"}), {"root", {}}}),
        ElementsAre("root", "left", "right", "top"));
    std::vector<Node> chain;
    for (int i = 0; i < 20000; ++i) chain.push_back(requires_all("s" + std::to_string(i), {"s" + std::to_string(i + 1)}));
    const DependencyGraph graph(chain);
    EXPECT_THAT(graph.cycle(), IsEmpty());
    EXPECT_EQ(graph.order().front(), chain.size() - 1);
}

}  // namespace
}  // namespace steward::manager
