// In which order services start and stop, and whether there is one at all: pure, from names and wishes alone.
//
// What a service requires or wants comes up before it, unless it names that in its own `before` too. `after` and `before` order only what
// is started anyway.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <steward/service_spec.hpp>

namespace steward::manager {

class DependencyGraph {
  public:
    struct Node {
        std::string name;
        ServiceSpec::Dependencies wishes;
    };
    // `of` comes later than this one, and needs it or not.
    struct Link {
        std::size_t of = 0;
        bool required = false;
        friend bool operator==(const Link&, const Link&) = default;
    };

    // Names are those of other nodes; any other is passed over. A node is known by its place in `nodes`.
    explicit DependencyGraph(const std::vector<Node>& nodes);

    [[nodiscard]] std::size_t size() const { return names_.size(); }
    // What must be up, or have failed, before `node` may start; each once.
    [[nodiscard]] const std::vector<Link>& before(std::size_t node) const { return before_[node]; }
    // The other way round: who waits for each.
    [[nodiscard]] std::vector<std::vector<std::size_t>> followers() const;
    // Each after all that it waits for; by their places where nothing orders them. Those of a cycle are left out.
    [[nodiscard]] std::vector<std::size_t> order() const;
    // A way from a service back to itself, that `from` is on or waits for: "web", "db", "web". Empty: none.
    [[nodiscard]] std::vector<std::string> cycle(std::size_t from) const;
    [[nodiscard]] std::vector<std::string> cycle() const;  // any

  private:
    void link(std::size_t first, std::size_t then, bool required);
    enum class Mark : unsigned char { unseen, on_the_way, done };
    [[nodiscard]] std::vector<std::string> search(std::size_t from, std::vector<Mark>& marks) const;

    std::vector<std::string> names_;
    std::vector<std::vector<Link>> before_;
};

// "web → db → web".
[[nodiscard]] std::string path_text(const std::vector<std::string>& names);

}  // namespace steward::manager
