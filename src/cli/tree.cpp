#include "cli/tree.hpp"

#include <algorithm>
#include <set>

namespace steward::cli {

namespace {

struct Strokes {
    const char *branch, *last, *down, *nothing;
};
constexpr Strokes lines{"├─ ", "└─ ", "│  ", "   "};
constexpr Strokes ascii{"|- ", "`- ", "|  ", "   "};

struct Child {
    std::string name;
    bool wanted;
};

std::vector<Child> children_of(const ServiceSpec::Dependencies& wishes)
{
    std::vector<Child> children;
    const auto add = [&](const std::vector<std::string>& names, bool wanted) {
        for (const std::string& name : names) {
            const bool known = std::ranges::find(children, name, &Child::name) != children.end();
            if (!known && !is_neutral_name(name)) children.push_back({name, wanted});
        }
    };
    add(wishes.required, false);
    add(wishes.wanted, true);
    return children;
}

class Tree {
  public:
    Tree(const DependencyMap& all, const Style& style) : all_(all), strokes_(style.unicode ? lines : ascii) {}

    void plant(const std::string& root)
    {
        if (!told_.contains(root)) grow({root, false}, "", "");
    }
    [[nodiscard]] std::vector<Twig> take() { return std::move(twigs_); }

  private:
    // As deep as a chain of services that need each other; none is entered twice.
    // NOLINTNEXTLINE(misc-no-recursion)
    void grow(const Child& here, const std::string& lead, const std::string& below)
    {
        const auto known = all_.find(here.name);
        const auto children = known != all_.end() ? children_of(known->second) : std::vector<Child>();
        const bool again = !told_.insert(here.name).second && !children.empty();
        std::string note = here.wanted ? "wanted" : "";
        if (again) note += note.empty() ? "above" : ", above";
        twigs_.push_back({here.name, lead, note});
        if (again) return;
        for (const Child& child : children) {
            const bool last = &child == &children.back();
            grow(child, below + (last ? strokes_.last : strokes_.branch), below + (last ? strokes_.nothing : strokes_.down));
        }
    }

    const DependencyMap& all_;
    const Strokes& strokes_;
    std::set<std::string> told_;
    std::vector<Twig> twigs_;
};

}  // namespace

std::vector<Twig> tree_of(const std::vector<std::string>& roots, const DependencyMap& all, const Style& style)
{
    Tree tree(all, style);
    for (const std::string& root : roots) tree.plant(root);
    if (!roots.empty()) return tree.take();
    std::set<std::string> needed;
    for (const auto& [name, wishes] : all) {
        for (const Child& child : children_of(wishes)) needed.insert(child.name);
    }
    for (const auto& [name, wishes] : all) {
        if (!needed.contains(name)) tree.plant(name);
    }
    // What is left goes in circles.
    for (const auto& [name, wishes] : all) tree.plant(name);
    return tree.take();
}

}  // namespace steward::cli
