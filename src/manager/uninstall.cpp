// uninstall: what install wrote, and no more; edited files stay.
#include <algorithm>
#include <functional>

#include "manager/applied.hpp"
#include "manager/file_plan.hpp"
#include "manager/install.hpp"
#include "manager/purge.hpp"
#include "manager/site.hpp"
#include "manager/together.hpp"

namespace steward::manager {

namespace {

// First by whoever runs it: a unit that is gone cannot be stopped.
Result<void> stop_first(const Site& site, const std::string& name, const std::optional<Manifest>& manifest)
{
    const auto system = manifest ? manifest->system : std::nullopt;
    const auto* const control = site.control_of(system);
    auto located = locate_installed(site, name, system, "stop");
    // Its service file may be gone already; its unit is not.
    if (!located && control != nullptr)
        located =
            Located{.name = name, .ad_hoc = {}, .paths = site.paths, .sources = {}, .directory = {}, .init_system = init::booted_authority};
    if (!located || (!located->directory && !located->init_system)) return {};
    Result<void> outcome;
    std::vector<Located> asked;
    asked.push_back(std::move(*located));
    stop_together(std::move(asked), [&](const StopPart& part) {
        if (!part.outcome) outcome = fail(part.outcome.error());
    });
    if (!outcome || control == nullptr) return outcome;
    // What somebody has taken the unit file of, systemd runs on.
    const auto runs = control->runs(name);
    if (!runs) return fail(runs.error());
    return *runs ? control->stop(name) : Result<void>();
}

// Whether its unit or script is; then so is all that leads there.
bool is_ours(const Manifest& manifest, const std::string& name)
{
    return std::ranges::any_of(manifest.entries, [&](const Manifest::Entry& entry) {
        return entry.kind == Content::Kind::file && (entry.path.ends_with("/" + name + ".service") || entry.path == "/etc/init.d/" + name);
    });
}

Result<FilePlan> plan_removal(const Site& site, const std::string& name, const std::optional<Manifest>& manifest, bool force)
{
    FilePlan plan(site.tree, {.name = name, .state_directory = site.paths.state, .before = manifest, .force = force});
    if (manifest && manifest->system && is_ours(*manifest, name)) {
        auto links = links_there(site.tree, *manifest->system, site.paths, name);
        if (!links) return fail(links.error());
        for (const Link& link : *links) {
            if (auto dropped = plan.drop_link(link.path); !dropped) return fail(dropped.error());
        }
    }
    if (manifest && manifest->system == InitSystem::runit) {
        if (auto dropped = plan.set(runit_down_path(name), {}); !dropped) return fail(dropped.error());
    }
    if (auto dropped = plan.drop_the_rest(); !dropped) return fail(dropped.error());
    for (const std::string& path : {at_boot_path(site.paths, name), applied_path(site.paths.state, name)}) {
        if (auto forgotten = plan.set(path, {}); !forgotten) return fail(forgotten.error());
    }
    if (auto concluded = plan.conclude_without(); !concluded) return fail(concluded.error());
    return plan;
}

Result<bool> runs_by_init_system(const Site& site, const std::string& name, const std::optional<Manifest>& manifest)
{
    const auto* control = site.control_of(manifest ? manifest->system : std::nullopt);
    return control != nullptr ? control->runs(name) : Result<bool>(false);
}

// What is to go beside the installation; set where it may go: nobody starts the service as long as `held` is.
struct Purge {
    std::vector<std::string> belongings;
    std::optional<os::UniqueFd> held;
};

// What runs is not forgotten, or another would be started beside it.
Result<std::optional<Purge>> prepare_purge(const Site& site, const UninstallOptions& options, bool runs_there, Installation& done)
{
    Purge purge{.belongings = belongings_of(site, done.name), .held = {}};
    const bool acts = options.root.empty() && !options.dry_run;
    auto held = acts ? hold_stopped(site, done.name) : Result<std::optional<os::UniqueFd>>(std::nullopt);
    const bool runs = runs_there || (!held && held.error().code == ErrorCode::already_running);
    if (runs && !options.leave_running) {
        return fail(Error{.operation = "purge",
                          .object = done.name,
                          .cause = "it runs again, and its record, logs and state are in use",
                          .next_step = "steward uninstall --purge " + done.name});
    }
    if (runs) {
        done.warnings.push_back("it runs: its record, logs and state stay (try: steward stop " + done.name +
                                ", then steward uninstall --purge " + done.name + ")");
        return std::optional<Purge>();
    }
    if (!held) return fail(held.error());
    purge.held = std::move(*held);
    return std::optional(std::move(purge));
}

Result<void> carry_out(const Site& site, const Purge& purge, const UninstallOptions& options, Installation& done)
{
    for (const std::string& path : purge.belongings) {
        if (!options.dry_run) {
            if (auto removed = site.tree.remove_all(path); !removed) return removed;
        }
        done.files.push_back({.kind = FileChange::Kind::removed, .path = path, .difference = {}});
        done.changed = true;
    }
    return {};
}

// `last` belongs to it: one that is killed in there is done again, from the service file on that tells what is to be purged.
Result<void> remove(const Site& site, const std::string& name, const UninstallOptions& options, Installation& done,
                    const std::function<Result<void>()>& last)
{
    std::optional<Workplace> workplace;
    if (!options.dry_run) {
        auto entered = Workplace::enter(site, name);
        if (!entered) return fail(entered.error());
        workplace.emplace(std::move(*entered));
    }
    auto manifest = read_manifest(site.tree, site.paths.state, name);
    if (!manifest) return fail(manifest.error());
    auto plan = plan_removal(site, name, *manifest, options.force);
    if (!plan) return fail(plan.error());
    done.system = *manifest ? (*manifest)->system : std::nullopt;
    done.installed = manifest->has_value();
    done.changed = !plan->steps().empty();
    done.kept_edits = plan->kept_edits();
    done.files = plan->take_changes();
    if (options.dry_run || !done.changed) return last();
    const init::Control* control = site.control_of(done.system);
    const auto settle = [&]() -> Result<void> {
        if (control == nullptr) return last();
        auto settled = control->owns_links() ? control->forget(name) : Result<void>();
        if (settled) settled = control->read_anew();
        return settled ? last() : settled;
    };
    auto carried = workplace->ledger().carry_out(plan->steps(), settle);
    if (!carried && control != nullptr) static_cast<void>(control->read_anew());
    return carried;
}

// One that was killed is undone first: what runs the service, and what belongs to it, is told by what is installed.
Result<void> clear_up(const Site& site, const std::string& name, bool is_installed)
{
    if (is_installed) {
        const auto recovered = Workplace::enter(site, name);
        return recovered ? Result<void>() : fail(recovered.error());
    }
    // All that one that was killed in its last moment may have left.
    const auto left = site.tree.look(lock_path(site.paths.state), 0);
    if (left && *left) static_cast<void>(Workplace::enter(site, name));
    static_cast<void>(site.tree.remove_directory(site.paths.state));
    return {};
}

}  // namespace

Result<Installation> uninstall(const Target& target, const ManagerOptions& caller, const UninstallOptions& options)
{
    const std::string& name = target.name;
    auto installed = scope_of_installed(name, caller.scope, options.root);
    if (!installed) return fail(installed.error());
    Installation done{.name = name};
    const Scope scope = installed->value_or(options.root.empty() ? caller.scope.value_or(callers_scope()) : Scope::system);
    auto site = site_of(scope, options.root, caller.here ? Here::yes : Here::no);
    if (!site) return fail(site.error());
    if (!options.dry_run) {
        if (auto cleared = clear_up(*site, name, installed->has_value()); !cleared) return fail(cleared.error());
    }
    if (!*installed && !options.purge) return done;
    auto manifest = read_manifest(site->tree, site->paths.state, name);
    if (!manifest) return fail(manifest.error());
    const bool acts = options.root.empty() && !options.dry_run;
    if (acts && !options.leave_running) {
        if (auto stopped = stop_first(*site, name, *manifest); !stopped) return fail(stopped.error());
    }
    // Asked while there is a script to tell.
    auto runs = acts && options.purge ? runs_by_init_system(*site, name, *manifest) : Result<bool>(false);
    if (!runs) return fail(runs.error());
    // What is to be purged is told by the service file, which may go.
    auto purge = options.purge ? prepare_purge(*site, options, *runs, done) : Result<std::optional<Purge>>(std::nullopt);
    if (!purge) return fail(purge.error());
    const auto last = [&] { return *purge ? carry_out(*site, **purge, options, done) : Result<void>(); };
    auto removed = *installed ? remove(*site, name, options, done, last) : last();
    if (!removed) return fail(removed.error());
    return done;
}

}  // namespace steward::manager
