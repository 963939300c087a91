// The services that a verb acts on, together with those that belong to them.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <steward/manager.hpp>

#include "manager/dependency_graph.hpp"
#include "manager/located.hpp"

namespace steward::manager {

struct Member {
    Located located;
    ServiceSpec::Dependencies wishes;
    Role role = Role::asked;
    std::string of;                        // who brought it in
    std::optional<Error> unreadable = {};  // what is wrong with its file, with all its diagnostics; it may run all the same
    std::optional<Error> fault;            // why it cannot be started: what it requires does not exist, or there is a cycle
};

// The services and all that they require or want, as their files have it now. Those on a cycle, or that wait for one, have that as fault.
// What is wanted and does not exist is left out.
std::vector<Member> with_needs(std::vector<Located> asked);

// The services and all that run and require them, as they were started.
std::vector<Member> with_dependents(std::vector<Located> asked);

// It lives, supervised or not, or is about to.
[[nodiscard]] bool is_running(const Located& located);

// In the order of the members. Faulty ones have no links.
[[nodiscard]] DependencyGraph graph_of(const std::vector<Member>& members);

[[nodiscard]] Error on_cycle(const std::string& operation, const std::string& name, const std::vector<std::string>& cycle);

// The objections to a service's dependencies: names of nobody, and the cycle that it is on or waits for. Takes all services of its scope once, for
// many to be checked.
class DependencyCheck {
  public:
    // `paths`: of the scope. `beside`: services that may have been given by their files; they stand before others of the same name.
    DependencyCheck(const Paths& paths, const std::vector<const Located*>& beside);
    [[nodiscard]] Result<void> check(const std::string& name, const config::Loaded& loaded) const;

  private:
    void find(const std::string& name);
    void add(const Located& located);
    [[nodiscard]] std::vector<std::string> names() const;

    Scope scope_;
    std::vector<DependencyGraph::Node> nodes_;
    std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace steward::manager
