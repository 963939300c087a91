#include "manager/site.hpp"

#include "init/host.hpp"
#include "manager/catalog.hpp"
#include "os/environment.hpp"
#include "os/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::manager {

namespace {

constexpr std::size_t largest_service_file = 1024 * 1024;
constexpr int most_links = 40;  // as the kernel has it

std::string prefix_of(const std::string& root)
{
    return root == "/" ? std::string() : root;
}

// A file of an image, over links as they will lead when it is booted. Unset: there is none.
Result<std::optional<std::string>> text_in(const os::Tree& tree, std::string path)
{
    for (int links = 0; links < most_links; ++links) {
        auto there = tree.look(path, largest_service_file);
        if (!there) return fail(there.error());
        if (!*there) return std::optional<std::string>();
        if ((*there)->info.kind == os::FileInfo::Kind::regular) return std::optional(std::move((*there)->text));
        if ((*there)->info.kind != os::FileInfo::Kind::symlink) break;
        path = (*there)->text.starts_with('/') ? (*there)->text : os::parent_of(path) + "/" + (*there)->text;
    }
    return fail(
        Error{.code = ErrorCode::invalid_service_file, .operation = "read", .object = os::quoted(path), .cause = "is not a regular file"});
}

Result<void> add_overrides(const os::Tree& tree, const Paths& inside, const std::string& prefix, config::Sources& sources)
{
    for (const std::string& place : override_directories(inside, sources.name)) {
        const auto names = tree.list(place);
        if (!names) return fail(names.error());
        for (const std::string& name : *names) {
            if (!name.ends_with(".toml")) continue;
            auto text = text_in(tree, place + "/" + name);
            if (!text) return fail(text.error());
            if (!*text) continue;
            sources.overrides.push_back(prefix + place + "/" + name);
            sources.override_texts.push_back(std::move(**text));
        }
    }
    return {};
}

// The named one of an image.
Result<std::optional<config::Sources>> find_in(const os::Tree& tree, const Paths& inside, const std::string& prefix,
                                               const std::string& name)
{
    for (const std::string& file : service_file_candidates(inside, name)) {
        auto text = text_in(tree, file);
        if (!text) return fail(text.error());
        if (!*text) continue;
        return std::optional(config::Sources{.name = name, .file = prefix + file, .overrides = {}, .text = std::move(**text)});
    }
    return std::optional<config::Sources>();
}

// A file of this host.
Result<config::Sources> read_given(const Paths& paths, const std::string& file)
{
    auto sources = sources_of_file(paths, file);
    if (!sources) return fail(sources.error());
    auto text = os::read_file(sources->file, largest_service_file);
    if (!text) return fail(text.error());
    sources->text = std::move(*text);
    return sources;
}

Paths below(const std::string& prefix, Paths paths)
{
    for (std::string& directory : paths.config) directory.insert(0, prefix);
    for (std::string* directory : {&paths.overrides, &paths.runtime, &paths.log, &paths.state}) directory->insert(0, prefix);
    return paths;
}

// Not where the caller says that nothing runs (as image builders do), nor a user's systemd that is not there.
bool may_be_asked(Scope scope)
{
    if (os::environment_variable("SYSTEMD_OFFLINE") == "1") return false;
    return scope == Scope::system || init::users_systemd_runs();
}

// What the init system still knows of units that are gone again.
void settle(const Site& site, const std::string& name)
{
    if (!site.control) return;
    const auto manifest = read_manifest(site.tree, site.paths.state, name);
    if (manifest && !*manifest && site.control->owns_links()) static_cast<void>(site.control->forget(name));
    static_cast<void>(site.control->read_anew());
}

}  // namespace

const init::Control* Site::control_of(std::optional<InitSystem> system) const
{
    return control && system && booted == system ? control.get() : nullptr;
}

Result<Site> site_of(Scope scope, const std::string& root, Here here)
{
    auto paths = paths_of(scope);
    if (!paths) return fail(paths.error());
    auto tree = os::Tree::open(root);
    if (!tree) return fail(tree.error());
    Site site{.tree = std::move(*tree), .root = root, .paths = std::move(*paths), .booted = {}, .control = {}};
    if (!root.empty() || !site.paths.default_runtime) return site;
    site.booted = init::booted_init_system();
    if (site.booted && here == Here::no && may_be_asked(scope)) site.control = init::make_control(*site.booted, scope);
    return site;
}

Result<Located> locate_in(const Target& target, std::optional<Scope> scope, const std::string& root, const std::string& operation)
{
    if (target.file.empty() && root.empty()) return locate(target, scope, operation);
    auto paths = paths_of(root.empty() ? scope.value_or(callers_scope()) : Scope::system);
    if (!paths) return fail(paths.error());
    const std::string prefix = prefix_of(root);
    Located located{.name = target.name, .ad_hoc = {}, .paths = below(prefix, *paths), .sources = {}, .directory = {}};
    if (!target.file.empty()) {
        auto given = read_given(*paths, target.file);
        if (!given) return fail(given.error());
        located.name = given->name;
        located.sources = std::move(*given);
        if (root.empty()) return located;
        located.sources->overrides.clear();
    }
    auto tree = os::Tree::open(root);
    if (!tree) return fail(tree.error());
    if (!located.sources) {
        auto found = find_in(*tree, *paths, prefix, target.name);
        if (!found) return fail(found.error());
        located.sources = std::move(*found);
    }
    if (!located.sources) {
        return fail(Error{.code = ErrorCode::unknown_service,
                          .operation = operation,
                          .object = target.name,
                          .cause = "no such service: there is no " + located.paths.config.front() + "/" + target.name + ".toml"});
    }
    if (auto added = add_overrides(*tree, *paths, prefix, *located.sources); !added) return fail(added.error());
    return located;
}

Result<Located> locate_installed(const Site& site, const std::string& name, std::optional<InitSystem> system, const std::string& operation)
{
    auto located = locate({.name = name, .file = {}, .command = {}}, site.paths.scope, operation);
    if (located && site.control_of(system) != nullptr) located->init_system = init::booted_authority;
    return located;
}

Result<std::optional<Scope>> scope_of_installed(const std::string& name, std::optional<Scope> scope, const std::string& root)
{
    const Scope first = root.empty() ? scope.value_or(callers_scope()) : Scope::system;
    const Scope second = first == Scope::system ? Scope::user : Scope::system;
    auto tree = os::Tree::open(root);
    if (!tree) return fail(tree.error());
    for (const Scope candidate : {first, second}) {
        if (candidate == second && (scope || !root.empty())) break;
        const auto paths = paths_of(candidate);
        if (!paths) continue;
        // What was killed before it wrote anything has left the directory.
        const auto found = tree->look(paths->state + "/" + name, 0);
        if (!found) return fail(found.error());
        if (*found) return std::optional(candidate);
    }
    return std::optional<Scope>();
}

Workplace::Workplace(const Site& site, os::UniqueFd lock, Ledger ledger) : site_(&site), lock_(std::move(lock)), ledger_(std::move(ledger))
{
}

Workplace::Workplace(Workplace&& other) noexcept
    : site_(std::exchange(other.site_, nullptr)), lock_(std::move(other.lock_)), ledger_(std::move(other.ledger_))
{
}

Workplace::~Workplace()
{
    if (site_ == nullptr) return;
    static_cast<void>(site_->tree.remove_directory(ledger_.directory()));
    static_cast<void>(site_->tree.remove(lock_path(site_->paths.state)));
    static_cast<void>(site_->tree.remove_directory(site_->paths.state));
}

Result<Workplace> Workplace::enter(const Site& site, const std::string& name)
{
    auto lock = lock_state(site.tree, site.paths.state);
    if (!lock) return fail(lock.error());
    Workplace workplace(site, std::move(*lock), Ledger(site.tree, site.paths.state + "/" + name));
    auto recovered = workplace.ledger().recover();
    if (!recovered) return fail(recovered.error());
    if (*recovered) settle(site, name);
    return workplace;
}

}  // namespace steward::manager
