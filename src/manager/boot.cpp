// enable and disable: what starts at boot, and no more.
#include "manager/file_plan.hpp"
#include "manager/install.hpp"
#include "manager/site.hpp"
#include "os/error.hpp"
#include "os/file.hpp"

namespace steward::manager {

namespace {

std::string verb_of(AtBoot at_boot)
{
    return at_boot == AtBoot::yes ? "enable" : "disable";
}

// A service whose links are not steward's; false: the init system does not know it.
Result<bool> ask_init_system(const Site& site, AtBoot at_boot, const BootOptions& options, Installation& done)
{
    const init::Control* control = site.control_of(site.booted);
    auto known = control != nullptr ? control->knows(done.name) : Result<bool>(false);
    if (!known || !*known) return known;
    done.system = site.booted;
    auto before = control->boot_state(done.name);
    if (!before) return fail(before.error());
    if (*before == init::BootState::always) {
        return fail(Error{.code = ErrorCode::unsupported,
                          .operation = verb_of(at_boot),
                          .object = done.name,
                          .cause = "its unit says nothing of when it is to start by itself (" + std::string(to_string(*site.booted)) +
                                   " calls that static)"});
    }
    const bool as_wanted = (*before == init::BootState::enabled) == (at_boot == AtBoot::yes);
    if (as_wanted) return true;
    done.changed = true;
    if (options.dry_run) return true;
    auto asked = at_boot == AtBoot::yes ? control->enable(done.name) : control->disable(done.name);
    if (!asked) return fail(asked.error());
    return true;
}

std::string unit_of(const Manifest& manifest, const std::string& name)
{
    for (const Manifest::Entry& entry : manifest.entries) {
        if (entry.kind == Content::Kind::file && os::base_of(entry.path) == name + ".service") return entry.path;
    }
    return {};
}

class BootPlan {
  public:
    BootPlan(const Site& site, const std::string& name, const std::optional<Manifest>& manifest, AtBoot at_boot)
        : site_(site),
          name_(name),
          manifest_(manifest),
          system_(manifest ? manifest->system : std::nullopt),
          at_boot_(at_boot),
          files_(site.tree, {.name = name, .state_directory = site.paths.state, .before = manifest, .force = false})
    {
    }

    Result<FilePlan*> make()
    {
        if (!system_) {
            auto set = files_.set(at_boot_path(site_.paths, name_), Content::file(at_boot_text(at_boot_), 0644));
            if (!set) return fail(set.error());
            return &files_;
        }
        if (auto linked = plan_links(); !linked) return fail(linked.error());
        if (auto concluded = files_.conclude(system_); !concluded) return fail(concluded.error());
        return &files_;
    }

  private:
    // All that was written stays, but the links.
    Result<void> plan_links()
    {
        if (*system_ == InitSystem::runit) {
            const Content down = at_boot_ == AtBoot::no ? Content::file({}, 0644) : Content{};
            if (auto set = files_.set(runit_down_path(name_), down); !set) return set;
        }
        const std::string path = unit_of(*manifest_, name_);
        auto unit = path.empty() ? Result<Content>(Content{}) : content_at(site_.tree, path);
        if (!unit) return fail(unit.error());
        const Unit installed{.path = path, .text = std::move(unit->text)};
        const auto there = links_there(site_.tree, *system_, site_.paths, name_);
        if (!there) return fail(there.error());
        // In a runlevel of the administrator's choice.
        if (at_boot_ == AtBoot::yes && *system_ == InitSystem::openrc && !there->empty()) {
            files_.keep_the_rest();
            return {};
        }
        for (const Link& link : boot_links(*system_, site_.paths, name_, installed, at_boot_)) {
            if (auto wanted = files_.want_link(link.path, link.target); !wanted) return wanted;
        }
        const bool replaced = at_boot_ == AtBoot::no || *system_ == InitSystem::sysv;
        for (const Link& link : replaced ? *there : std::vector<Link>()) {
            if (files_.is_handled(link.path)) continue;
            if (auto dropped = files_.drop_link(link.path); !dropped) return dropped;
        }
        files_.keep_the_rest();
        return {};
    }

    const Site& site_;
    const std::string& name_;
    const std::optional<Manifest>& manifest_;
    std::optional<InitSystem> system_;
    AtBoot at_boot_;
    FilePlan files_;
};

// By links of steward's own, or by what `run --all` goes by.
Result<void> set_here(const Site& site, AtBoot at_boot, const BootOptions& options, Installation& done)
{
    std::optional<Workplace> workplace;
    if (!options.dry_run) {
        auto entered = Workplace::enter(site, done.name);
        if (!entered) return fail(entered.error());
        workplace.emplace(std::move(*entered));
    }
    auto manifest = read_manifest(site.tree, site.paths.state, done.name);
    if (!manifest) return fail(manifest.error());
    done.installed = manifest->has_value();
    done.system = *manifest ? (*manifest)->system : std::nullopt;
    const init::Control* control = site.control_of(done.system);
    if (control != nullptr && control->owns_links()) {
        auto asked = ask_init_system(site, at_boot, options, done);
        if (!asked) return fail(asked.error());
        if (*asked) return {};
        return fail(Error{.code = ErrorCode::failed,
                          .operation = verb_of(at_boot),
                          .object = done.name,
                          .cause = std::string(to_string(*done.system)) + " does not know it any more",
                          .next_step = "steward install " + done.name});
    }
    BootPlan boot(site, done.name, *manifest, at_boot);
    auto plan = boot.make();
    if (!plan) return fail(plan.error());
    done.changed = !(*plan)->steps().empty();
    done.files = (*plan)->take_changes();
    if (options.dry_run || !done.changed) return {};
    return workplace->ledger().carry_out((*plan)->steps(), [&] { return control != nullptr ? control->read_anew() : Result<void>(); });
}

}  // namespace

Result<Installation> set_at_boot(const Target& target, const ManagerOptions& caller, AtBoot at_boot, const BootOptions& options)
{
    const Here here = caller.here ? Here::yes : Here::no;
    auto installed = scope_of_installed(target.name, caller.scope, options.root);
    if (!installed) return fail(installed.error());
    Installation done{.name = target.name, .enabled = at_boot == AtBoot::yes};
    if (*installed) {
        auto site = site_of(**installed, options.root, here);
        if (!site) return fail(site.error());
        if (auto set = set_here(*site, at_boot, options, done); !set) return fail(set.error());
        return done;
    }
    auto located = locate_in(target, caller.scope, options.root, verb_of(at_boot));
    auto site = site_of(located ? located->paths.scope : caller.scope.value_or(callers_scope()), options.root, here);
    if (!site) return fail(site.error());
    auto asked = ask_init_system(*site, at_boot, options, done);
    if (!asked) return fail(asked.error());
    if (*asked) return done;
    if (!located) return fail(located.error());
    if (auto set = set_here(*site, at_boot, options, done); !set) return fail(set.error());
    return done;
}

AtBoot at_boot_without_init(const Located& located)
{
    const auto tree = os::Tree::open({});
    const auto recorded = tree ? recorded_at_boot(*tree, located.paths, located.name) : Result<std::optional<AtBoot>>(std::nullopt);
    if (recorded && *recorded) return **recorded;
    const auto loaded = load_current(located);
    return loaded && !loaded->spec.install.enable ? AtBoot::no : AtBoot::yes;
}

}  // namespace steward::manager
