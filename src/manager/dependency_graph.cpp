#include "manager/dependency_graph.hpp"

#include <algorithm>
#include <queue>
#include <unordered_map>

namespace steward::manager {

DependencyGraph::DependencyGraph(const std::vector<Node>& nodes) : before_(nodes.size())
{
    std::unordered_map<std::string_view, std::size_t> places;
    for (const Node& node : nodes) {
        places.emplace(node.name, names_.size());
        names_.push_back(node.name);
    }
    for (std::size_t node = 0; node < nodes.size(); ++node) {
        const auto& wishes = nodes[node].wishes;
        const auto each = [&](const std::vector<std::string>& named, auto act) {
            for (const std::string& name : named) {
                if (const auto place = places.find(name); place != places.end() && !is_neutral_name(name)) act(place->second);
            }
        };
        const auto is_before = [&](std::size_t other) { return std::ranges::find(wishes.before, names_[other]) != wishes.before.end(); };
        each(wishes.required, [&](std::size_t other) {
            if (!is_before(other)) link(other, node, true);
        });
        each(wishes.wanted, [&](std::size_t other) {
            if (!is_before(other)) link(other, node, false);
        });
        each(wishes.after, [&](std::size_t other) { link(other, node, false); });
        each(wishes.before, [&](std::size_t other) { link(node, other, false); });
    }
}

void DependencyGraph::link(std::size_t first, std::size_t then, bool required)
{
    auto& links = before_[then];
    const auto known = std::ranges::find(links, first, &Link::of);
    if (known == links.end()) {
        links.push_back({.of = first, .required = required});
    } else {
        known->required = known->required || required;
    }
}

std::vector<std::vector<std::size_t>> DependencyGraph::followers() const
{
    std::vector<std::vector<std::size_t>> found(size());
    for (std::size_t node = 0; node < size(); ++node) {
        for (const Link& link : before_[node]) found[link.of].push_back(node);
    }
    return found;
}

std::vector<std::size_t> DependencyGraph::order() const
{
    const auto follow = followers();
    std::vector<std::size_t> waits(size());
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free;
    for (std::size_t node = 0; node < size(); ++node) {
        waits[node] = before_[node].size();
        if (waits[node] == 0) free.push(node);
    }
    std::vector<std::size_t> ordered;
    while (!free.empty()) {
        const std::size_t node = free.top();
        free.pop();
        ordered.push_back(node);
        for (const std::size_t next : follow[node]) {
            if (--waits[next] == 0) free.push(next);
        }
    }
    return ordered;
}

// Depth first with a stack of its own: a chain may be as long as there are services.
std::vector<std::string> DependencyGraph::search(std::size_t from, std::vector<Mark>& marks) const
{
    struct Step {
        std::size_t node;
        std::size_t next;  // of its links
    };
    if (marks[from] == Mark::done) return {};
    std::vector<Step> way{{from, 0}};
    marks[from] = Mark::on_the_way;
    while (!way.empty()) {
        Step& here = way.back();
        if (here.next == before_[here.node].size()) {
            marks[here.node] = Mark::done;
            way.pop_back();
            continue;
        }
        const std::size_t to = before_[here.node][here.next++].of;
        if (marks[to] == Mark::on_the_way) {
            std::vector<std::string> names;
            for (auto step = std::ranges::find(way, to, &Step::node); step != way.end(); ++step) names.push_back(names_[step->node]);
            names.push_back(names_[to]);
            return names;
        }
        if (marks[to] == Mark::done) continue;
        marks[to] = Mark::on_the_way;
        way.push_back({to, 0});
    }
    return {};
}

std::vector<std::string> DependencyGraph::cycle(std::size_t from) const
{
    std::vector<Mark> marks(size(), Mark::unseen);
    return search(from, marks);
}

std::vector<std::string> DependencyGraph::cycle() const
{
    std::vector<Mark> marks(size(), Mark::unseen);
    for (std::size_t node = 0; node < size(); ++node) {
        if (auto names = search(node, marks); !names.empty()) return names;
    }
    return {};
}

std::string path_text(const std::vector<std::string>& names)
{
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " → ") + name;
    return text;
}

}  // namespace steward::manager
