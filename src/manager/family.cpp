#include "manager/family.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <steward/words.hpp>

#include "manager/delegate.hpp"
#include "manager/judgement.hpp"
#include "os/file.hpp"

namespace steward::manager {

namespace {

using Dependencies = ServiceSpec::Dependencies;
using Places = std::unordered_map<std::string, std::size_t>;

constexpr std::size_t largest_file = 1024 * 1024;

std::string line_of(const std::string& file, unsigned number)
{
    const auto text = os::read_file(file, largest_file);
    std::size_t begin = 0;
    for (unsigned line = 1; text && line < number && begin != std::string::npos; ++line) {
        begin = text->find('\n', begin);
        if (begin != std::string::npos) ++begin;
    }
    return text && begin < text->size() ? text->substr(begin, text->find_first_of("\r\n", begin) - begin) : "";
}

// Where the service file says something about `key`; without a place where it was not written.
Diagnostic diagnostic_at(const config::Loaded& loaded, const std::string& key, std::string message, std::string suggestion = {})
{
    Diagnostic diagnostic{
        .file = {}, .line = 0, .column = 0, .message = "[dependencies] " + key + ": " + message, .source_line = {}, .suggestion = {}};
    diagnostic.suggestion = std::move(suggestion);
    const auto found = std::ranges::find(loaded.keys, "dependencies." + key, &ResolvedKey::path);
    if (found == loaded.keys.end() || found->line == 0) return diagnostic;
    diagnostic.file = found->file;
    diagnostic.line = found->line;
    diagnostic.column = 1;
    diagnostic.source_line = line_of(found->file, found->line);
    return diagnostic;
}

Error invalid(const std::string& operation, const std::string& name, std::vector<Diagnostic> faults)
{
    const std::string cause =
        faults.size() == 1 ? faults.front().message : "its dependencies have " + std::to_string(faults.size()) + " faults";
    return Error{
        .code = ErrorCode::invalid_service_file, .operation = operation, .object = name, .cause = cause, .diagnostics = std::move(faults)};
}

// What a service needs is of its own scope: where that is not the caller's, the caller's rights decide as ever.
class Gathering {
  public:
    explicit Gathering(std::vector<Located> asked)
    {
        for (Located& located : asked) {
            places_.emplace(located.name, members_.size());
            members_.push_back({.located = std::move(located), .wishes = {}, .role = Role::asked, .of = {}, .fault = {}});
        }
        for (std::size_t place = 0; place < members_.size(); ++place) follow(place);
    }

    [[nodiscard]] std::vector<Member> take() { return std::move(members_); }

  private:
    void follow(std::size_t place)
    {
        auto loaded = load_current(members_[place].located);
        // What is wrong with the file its own start will tell; it may run already.
        if (!loaded) {
            members_[place].unreadable = std::move(loaded.error());
            return;
        }
        members_[place].wishes = loaded->spec.dependencies;
        std::vector<Diagnostic> missing;
        for (const std::string& name : members_[place].wishes.required) {
            if (!add(place, name, Role::required))
                missing.push_back(diagnostic_at(*loaded, "requires", "there is no service '" + name + "'"));
        }
        for (const std::string& name : members_[place].wishes.wanted) add(place, name, Role::wanted);
        if (!missing.empty()) members_[place].fault = invalid("start", members_[place].located.name, std::move(missing));
        if (members_[place].located.sources) members_[place].located.loaded = std::move(*loaded);
    }

    bool add(std::size_t by, const std::string& name, Role role)
    {
        if (is_neutral_name(name)) return true;
        if (const auto known = places_.find(name); known != places_.end()) {
            Member& member = members_[known->second];
            if (role == Role::required && member.role == Role::wanted) member.role = role;
            return true;
        }
        const Located& of = members_[by].located;
        auto located = locate({.name = name, .file = {}, .command = {}}, of.paths.scope, "start");
        // Of the init system's own nothing is known here: whether it is up is between it and the init system.
        if (!located) return is_of_an_init_system(name, of.paths.scope);
        located->init_system = of.init_system;
        places_.emplace(name, members_.size());
        members_.push_back({.located = std::move(*located), .wishes = {}, .role = role, .of = of.name, .fault = {}});
        return true;
    }

    std::vector<Member> members_;
    Places places_;
};

// Cheap to ask of a thousand: only who requires anything is read any further.
std::optional<Dependencies> started_wishes(const Located& located)
{
    if (!located.directory) return std::nullopt;
    const auto text = located.directory->read_service_file();
    if (!text || !*text || (*text)->find("\nrequires = ") == std::string::npos) return std::nullopt;
    const auto spec = load_started(located);
    return spec ? std::optional(spec->dependencies) : std::nullopt;
}

// Of a scope, everything with a record that was started with `requires`.
std::vector<Member> requiring(const Paths& paths)
{
    std::vector<Member> found;
    const auto names = record::recorded_names(paths.runtime);
    if (!names) return found;
    for (const std::string& name : *names) {
        auto located = locate({.name = name, .file = {}, .command = {}}, paths.scope, "stop");
        if (!located) continue;
        auto wishes = started_wishes(*located);
        if (wishes)
            found.push_back({.located = std::move(*located), .wishes = std::move(*wishes), .role = Role::dependent, .of = {}, .fault = {}});
    }
    return found;
}

}  // namespace

std::vector<Member> with_needs(std::vector<Located> asked)
{
    auto members = Gathering(std::move(asked)).take();
    const DependencyGraph graph = graph_of(members);
    if (graph.cycle().empty()) return members;
    for (std::size_t place = 0; place < members.size(); ++place) {
        const auto cycle = graph.cycle(place);
        if (!cycle.empty()) members[place].fault = on_cycle("start", members[place].located.name, cycle);
    }
    return members;
}

std::vector<Member> with_dependents(std::vector<Located> asked)
{
    std::vector<Member> members;
    std::unordered_set<std::string> names;
    std::map<Scope, Paths> scopes;
    for (Located& located : asked) {
        names.insert(located.name);
        scopes.emplace(located.paths.scope, located.paths);
        members.push_back({.located = std::move(located), .wishes = {}, .role = Role::asked, .of = {}, .fault = {}});
    }
    std::vector<Member> others;
    for (const auto& [scope, paths] : scopes) std::ranges::move(requiring(paths), std::back_inserter(others));
    for (std::size_t place = 0; place < members.size(); ++place) {
        const std::string name = members[place].located.name;
        for (Member& other : others) {
            if (other.located.paths.scope != members[place].located.paths.scope) continue;
            const bool needs = std::ranges::find(other.wishes.required, name) != other.wishes.required.end();
            // What only the init system runs it stops itself.
            if (!needs || names.contains(other.located.name) || !is_running(other.located)) continue;
            names.insert(other.located.name);
            other.of = name;
            other.located.init_system = members[place].located.init_system;
            members.push_back(std::move(other));
        }
    }
    // Of those that were asked for, the order matters only among several.
    for (Member& member : members) {
        if (members.size() == 1 || member.role != Role::asked) continue;
        if (const auto spec = load_started(member.located)) member.wishes = spec->dependencies;
    }
    return members;
}

bool is_running(const Located& located)
{
    const auto judgement = judge(located);
    if (judgement && is_stewards(*judgement)) return true;
    const auto delegate = Delegate::of(located);
    return delegate && *delegate && !(*delegate)->rests();
}

DependencyGraph graph_of(const std::vector<Member>& members)
{
    std::vector<DependencyGraph::Node> nodes;
    for (const Member& member : members) {
        nodes.push_back({.name = member.located.name, .wishes = member.fault ? Dependencies{} : member.wishes});
    }
    return DependencyGraph(nodes);
}

Error on_cycle(const std::string& operation, const std::string& name, const std::vector<std::string>& cycle)
{
    return Error{.code = ErrorCode::invalid_service_file,
                 .operation = operation,
                 .object = name,
                 .cause = "its dependencies go in a circle: " + path_text(cycle),
                 .next_step = "take one of them out of [dependencies]"};
}

DependencyCheck::DependencyCheck(const Paths& paths, const std::vector<const Located*>& beside) : scope_(paths.scope)
{
    for (const Located* located : beside) {
        if (located->paths.scope == scope_) add(*located);
    }
    const auto known = known_names(paths);
    for (const std::string& name : known ? *known : std::vector<std::string>()) find(name);
    // Instances of templates are known by being named.
    for (std::size_t place = 0; place < nodes_.size(); ++place) {
        const Dependencies wishes = nodes_[place].wishes;
        for (const auto* named : {&wishes.required, &wishes.wanted, &wishes.after, &wishes.before}) {
            for (const std::string& name : *named) find(name);
        }
    }
}

void DependencyCheck::find(const std::string& name)
{
    if (places_.contains(name) || is_neutral_name(name)) return;
    const auto located = locate({.name = name, .file = {}, .command = {}}, scope_, "check");
    if (located) add(*located);
}

void DependencyCheck::add(const Located& located)
{
    if (!places_.emplace(located.name, nodes_.size()).second) return;
    const auto loaded = load_current(located);
    nodes_.push_back({.name = located.name, .wishes = loaded ? loaded->spec.dependencies : Dependencies{}});
}

Result<void> DependencyCheck::check(const std::string& name, const config::Loaded& loaded) const
{
    const auto& wishes = loaded.spec.dependencies;
    std::vector<Diagnostic> missing;
    const auto look = [&](const char* key, const std::vector<std::string>& named) {
        for (const std::string& other : named) {
            if (is_neutral_name(other) || places_.contains(other) || is_of_an_init_system(other, scope_)) continue;
            missing.push_back(diagnostic_at(loaded, key, "there is no service '" + other + "'", nearest(other, names())));
        }
    };
    look("requires", wishes.required);
    look("wants", wishes.wanted);
    look("after", wishes.after);
    look("before", wishes.before);
    if (!missing.empty()) return fail(invalid("check", name, std::move(missing)));
    const auto place = places_.find(name);
    if (place == places_.end()) return {};
    const auto cycle = DependencyGraph(nodes_).cycle(place->second);
    if (!cycle.empty()) return fail(on_cycle("check", name, cycle));
    return {};
}

std::vector<std::string> DependencyCheck::names() const
{
    std::vector<std::string> names(neutral_names.begin(), neutral_names.end());
    for (const auto& node : nodes_) names.push_back(node.name);
    return names;
}

}  // namespace steward::manager
