// Which service hangs on which, as a tree: who is needed by nobody stands at the left, and below each what it requires and wants.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <steward/manager.hpp>

#include "cli/console.hpp"

namespace steward::cli {

using DependencyMap = std::map<std::string, ServiceSpec::Dependencies>;

// One line of the tree.
struct Twig {
    std::string name;
    std::string lead;  // what is drawn before the name
    std::string note;  // "wanted", "above": what was told further up is not told again
};

// `roots` first; empty: those that nobody requires or wants. All of `all` are somewhere in the tree then, in its order.
[[nodiscard]] std::vector<Twig> tree_of(const std::vector<std::string>& roots, const DependencyMap& all, const Style& style);

}  // namespace steward::cli
