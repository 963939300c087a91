// install: the service file and the unit or script of one init system, enabled; all of it or nothing.
#include "manager/install.hpp"

#include <algorithm>
#include <memory>

#include "init/render.hpp"
#include "manager/applied.hpp"
#include "manager/family.hpp"
#include "manager/file_plan.hpp"
#include "manager/generate.hpp"
#include "manager/install_for.hpp"
#include "manager/preparation.hpp"
#include "manager/site.hpp"
#include "manager/together.hpp"
#include "manager/verbs.hpp"
#include "os/account.hpp"
#include "os/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::manager {

namespace {

constexpr std::string_view packaged_units = "/usr/lib/systemd/";

Error unable(const std::string& name, ErrorCode code, std::string cause, std::string next_step = {})
{
    return Error{.code = code, .operation = "install", .object = name, .cause = std::move(cause), .next_step = std::move(next_step)};
}

// One installation, from what was asked to what was done.
class Installer {
  public:
    Installer(const Site& site, const config::Sources& sources, std::optional<InitSystem> system, const InstallOptions& options,
              const std::optional<Manifest>& before)
        : site_(site),
          sources_(sources),
          name_(sources.name),
          system_(system),
          options_(options),
          plan_(site.tree, {.name = name_, .state_directory = site.paths.state, .before = before, .force = options.force}),
          before_(before)
    {
    }

    Result<void> plan()
    {
        if (auto planned = plan_service_file(); !planned) return fail(planned.error());
        auto loaded = config::load(sources_);
        if (!loaded) return fail(loaded.error());
        if (system_) {
            if (auto planned = plan_unit(*loaded); !planned) return fail(planned.error());
        }
        if (auto planned = plan_boot(loaded->spec.install.enable ? AtBoot::yes : AtBoot::no); !planned) return fail(planned.error());
        if (auto planned = plan_standing_links(); !planned) return fail(planned.error());
        if (auto planned = plan_former_links(); !planned) return fail(planned.error());
        if (auto planned = plan_.drop_the_rest(); !planned) return fail(planned.error());
        if (auto planned = plan_.conclude(system_); !planned) return fail(planned.error());
        done_.name = name_;
        done_.system = system_;
        done_.changed = !plan_.steps().empty() || links_by_tool();
        done_.installed = true;
        done_.enabled = at_boot_ == AtBoot::yes;
        done_.kept_edits = plan_.kept_edits();
        done_.files = plan_.take_changes();
        return remember(loaded->spec);
    }
    [[nodiscard]] Installation& done() { return done_; }

    // As planned; on failure all is as it was, for the init system too.
    Result<void> carry_out(const Ledger& ledger)
    {
        if (plan_.steps().empty() && !links_by_tool()) return {};
        auto done = ledger.carry_out(plan_.steps(), [this] { return finish(); });
        if (!done && control() != nullptr) {
            if (links_by_tool()) static_cast<void>(control()->forget(name_));
            static_cast<void>(control()->read_anew());
        }
        return done;
    }

  private:
    [[nodiscard]] const init::Control* control() const { return site_.control_of(system_); }
    [[nodiscard]] bool links_by_tool() const { return is_new_system() && control() != nullptr && control()->owns_links(); }
    [[nodiscard]] bool is_new_system() const { return !before_ || before_->system != system_; }

    Result<void> finish() const
    {
        if (control() == nullptr || !done_.changed) return {};
        if (links_by_tool()) {
            auto linked = at_boot_ == AtBoot::yes ? control()->enable(name_) : control()->disable(name_);
            if (!linked) return linked;
        }
        return control()->read_anew();
    }

    // What its init system runs it by; while it runs, that is what it was started with.
    Result<void> remember(const ServiceSpec& spec)
    {
        if (!system_) return {};
        const auto former = before_ ? read_applied(site_, name_) : std::nullopt;
        if (former && *former != spec && !options_.now && control() != nullptr) {
            auto runs = control()->runs(name_);
            if (!runs) return fail(runs.error());
            if (*runs) return {};
        }
        return plan_.set(applied_path(site_.paths.state, name_), applied_content(spec));
    }

    // Copied to where the scope's service files are, unless it is in one of those places. An edited copy is kept, and goes on deciding.
    Result<void> plan_service_file()
    {
        const std::string prefix = site_.root == "/" ? std::string() : site_.root;
        const std::string base = service_file_name(sources_.file);
        const std::string place = place_in_site();
        if (!place.empty()) sources_.file = prefix + place + "/" + base;
        // What an earlier install has copied there decides, edited or not, and stays install's as far as it was.
        if (!place.empty() || !sources_.text) return plan_.keep(sources_.file.substr(prefix.size()));
        const std::string path = site_.paths.config.front() + "/" + base;
        if (auto wanted = plan_.want_file(path, *sources_.text, 0644); !wanted) return wanted;
        auto edited = plan_.is_edited(path);
        if (!edited) return fail(edited.error());
        if (*edited && !options_.force) {
            sources_.file = prefix + path;
            sources_.text.reset();
            if (site_.root.empty()) return {};
            auto now = content_at(site_.tree, path);
            if (!now) return fail(now.error());
            sources_.text = std::move(now->text);
        }
        return {};
    }

    // The directory of service files that it lies in, by whatever name it was given; empty: none, or it would not be found there.
    [[nodiscard]] std::string place_in_site() const
    {
        if (service_file_name(sources_.file) != os::base_of(sources_.file)) return {};
        const std::string directory = os::parent_of(sources_.file);
        const std::string prefix = site_.root == "/" ? std::string() : site_.root;
        for (const std::string& place : site_.paths.config) {
            if (prefix + place == directory) return place;
        }
        const auto given = os::info_at(directory, true);
        if (!given || !*given) return {};
        for (const std::string& place : site_.paths.config) {
            const auto there = site_.tree.look(place + "/.", 0);
            if (!there || !*there) continue;
            if ((*given)->device == (*there)->info.device && (*given)->inode == (*there)->info.inode) return place;
        }
        return {};
    }

    Result<void> plan_unit(const config::Loaded& loaded)
    {
        auto steward = steward_to_call(site_, name_);
        if (!steward) return fail(steward.error());
        auto rendered = init::render(*system_, request_for(loaded, site_.paths.scope, sources_.file, *steward));
        if (!rendered) return fail(rendered.error());
        if (options_.strict) {
            if (auto whole = require_expressible(name_, rendered->notes); !whole) return whole;
        }
        done_.notes = rendered->notes;
        for (const GeneratedFile& file : rendered->files) {
            const std::string path = *system_ == InitSystem::systemd ? unit_path(os::base_of(file.path)) : file.path;
            if (auto free = require_unshadowed(path); !free) return free;
            if (auto wanted = plan_.want_file(path, file.text, file.mode); !wanted) return wanted;
            // A socket unit comes and goes with its service: it is not enabled by itself.
            if (path.ends_with(".socket")) continue;
            unit_ = {.path = path, .text = file.text};
            if (auto read = read_edited_unit(); !read) return read;
        }
        return {};
    }

    Result<void> plan_standing_links()
    {
        if (!system_) return {};
        for (const Link& link : standing_links(*system_, name_)) {
            if (auto wanted = plan_.want_link(link.path, link.target); !wanted) return wanted;
        }
        return {};
    }

    // What the administrator made of it says who wants it.
    Result<void> read_edited_unit()
    {
        auto edited = plan_.is_edited(unit_.path);
        if (!edited) return fail(edited.error());
        if (!*edited || options_.force) return {};
        auto now = content_at(site_.tree, unit_.path);
        if (!now) return fail(now.error());
        unit_.text = std::move(now->text);
        return {};
    }

    // It stays where it was written first.
    [[nodiscard]] std::string unit_path(const std::string& base) const
    {
        for (const Manifest::Entry& entry : before_ ? before_->entries : std::vector<Manifest::Entry>()) {
            if (entry.kind == Content::Kind::file && os::base_of(entry.path) == base) return entry.path;
        }
        return unit_directory(site_.tree, site_.paths) + "/" + base;
    }

    // A package's unit of that name would be put out of action, and one of the administrator's would come first.
    Result<void> require_unshadowed(const std::string& unit)
    {
        if (*system_ != InitSystem::systemd || site_.paths.scope == Scope::user) return {};
        const std::string base = "/system/" + os::base_of(unit);
        for (const std::string& path : {"/etc/systemd" + base, std::string(packaged_units) + base.substr(1), "/lib/systemd" + base}) {
            if (path == unit) continue;
            auto found = content_at(site_.tree, path);
            if (!found) return fail(found.error());
            if (found->kind == Content::Kind::nothing) continue;
            if (found->kind == Content::Kind::link && found->text == "/dev/null") {
                done_.warnings.push_back("it is masked, and does not start (try: systemctl unmask " + name_ + ")");
                continue;
            }
            if (options_.force) continue;
            return fail(
                unable(name_, ErrorCode::failed, "systemd has a unit of that name, " + os::quoted(path), "--force, or another name"));
        }
        return {};
    }

    // The first time as the service file says; later it is the administrator's.
    Result<void> plan_boot(AtBoot wanted)
    {
        if (!system_) {
            auto recorded = recorded_at_boot(site_.tree, site_.paths, name_);
            if (!recorded) return fail(recorded.error());
            at_boot_ = recorded->value_or(wanted);
            return {};
        }
        if (is_new_system()) {
            at_boot_ = wanted;
            // A runit that runs starts what is linked at once, unless it is told not to; it is enabled when it has been taken up.
            const bool down = *system_ == InitSystem::runit && (links_by_tool() || wanted == AtBoot::no);
            if (down) return plan_.set(runit_down_path(name_), Content::file({}, 0644));
            if (links_by_tool()) return {};
        } else {
            auto present = present_at_boot(site_.tree, *system_, site_.paths, name_);
            if (!present) return fail(present.error());
            at_boot_ = *present;
            // Numbers and runlevels are the tool's, or whoever changed them.
            if (*system_ == InitSystem::sysv || *system_ == InitSystem::openrc) return keep_links();
        }
        for (const Link& link : boot_links(*system_, site_.paths, name_, unit_, at_boot_)) {
            if (auto linked = plan_.want_link(link.path, link.target); !linked) return linked;
        }
        return {};
    }

    // Of the init system that it was installed for before; those that a tool numbered are in no manifest.
    Result<void> plan_former_links()
    {
        if (!before_ || before_->system == system_) return {};
        if (before_->system == InitSystem::runit) return plan_.set(runit_down_path(name_), {});
        if (!before_->system) return {};
        const auto links = links_there(site_.tree, *before_->system, site_.paths, name_);
        if (!links) return fail(links.error());
        for (const Link& link : *links) {
            if (auto dropped = plan_.drop_link(link.path); !dropped) return dropped;
        }
        return {};
    }

    Result<void> keep_links()
    {
        const auto links = links_there(site_.tree, *system_, site_.paths, name_);
        if (!links) return fail(links.error());
        for (const Link& link : *links) {
            const bool listed = before_->find(link.path) != nullptr;
            if (!listed) continue;
            if (auto wanted = plan_.want_link(link.path, link.target); !wanted) return wanted;
        }
        return {};
    }

    const Site& site_;
    config::Sources sources_;
    std::string name_;
    std::optional<InitSystem> system_;
    const InstallOptions& options_;
    FilePlan plan_;
    std::optional<Manifest> before_;
    Unit unit_;
    AtBoot at_boot_ = AtBoot::yes;
    Installation done_;
};

// What does not keep it from being installed, and will keep it from running.
void add_warnings(const Site& site, const InstallOptions& options, Installation& done)
{
    if (!site.root.empty()) return;
    const auto* control = options.now || !reopens_sockets(done) ? nullptr : site.control_of(done.system);
    if (control != nullptr && control->runs(done.name).value_or(false))
        done.warnings.emplace_back("it runs, and only a stop and a start open its changed sockets");
    auto located = locate({.name = done.name, .file = {}, .command = {}}, site.paths.scope, "install");
    const auto prepared = located ? prepare(*located, Foreground::no, MakeDirectories::no) : Result<Preparation>(fail(located.error()));
    if (!prepared) done.warnings.push_back("it will not start as it is: " + prepared.error().message());
    if (site.paths.scope != Scope::user || done.system != InitSystem::systemd) return;
    const auto account = os::account_of(os::effective_uid());
    const auto lingers = os::info_at("/var/lib/systemd/linger/" + (account ? account->name : std::string()));
    if (account && lingers && !*lingers) {
        done.warnings.push_back("lingering is off: it runs only while " + account->name + " is logged in (try: loginctl enable-linger " +
                                account->name + ")");
    }
}

// As start and restart would: by the init system where that knows it.
Result<void> start_now(const Site& site, Installation& done)
{
    auto located = locate_installed(site, done.name, done.system, "start");
    if (!located) return fail(located.error());
    const auto others = [](const StartPart&) {};
    if (done.changed) {
        auto what = RestartWhat::running;
        if (reopens_sockets(done) && is_running(*located)) {
            if (auto stopped = stop(*located); !stopped) return fail(stopped.error());
            what = RestartWhat::anything;
        }
        auto restarted = restart_together(std::move(*located), {}, what, others);
        if (!restarted) return fail(restarted.error());
        done.started = restarted->has_value();
        if (done.started) return {};
        located = locate_installed(site, done.name, done.system, "start");
        if (!located) return fail(located.error());
    }
    Result<void> outcome;
    std::vector<Located> asked;
    asked.push_back(std::move(*located));
    start_together(std::move(asked), {}, [&](const StartPart& part) {
        if (part.role != Role::asked) return;
        if (!part.outcome) outcome = fail(part.outcome.error());
        done.started = part.outcome && !part.outcome->already_running;
    });
    return outcome;
}

}  // namespace

bool reopens_sockets(const Installation& done)
{
    return std::ranges::any_of(
        done.files, [](const FileChange& file) { return file.path.ends_with(".socket") && file.kind != FileChange::Kind::unchanged; });
}

Result<Installation> install(const Target& target, const ManagerOptions& caller, const InstallOptions& options)
{
    auto located = locate_in(target, caller.scope, options.root, "install");
    if (!located) return fail(located.error());
    if (!located->sources) return fail(unable(located->name, ErrorCode::unknown_service, "it has no service file"));
    auto site = site_of(located->paths.scope, options.root, caller.here ? Here::yes : Here::no);
    if (!site) return fail(site.error());
    auto system = system_to_install_for(*site, located->name, options);
    if (!system) return fail(system.error());

    const std::string name = located->name;
    const auto plan = [&]() -> Result<std::unique_ptr<Installer>> {
        auto before = read_manifest(site->tree, site->paths.state, name);
        if (!before) return fail(before.error());
        auto installer = std::make_unique<Installer>(*site, *located->sources, *system, options, *before);
        if (auto planned = installer->plan(); !planned) return fail(planned.error());
        return installer;
    };
    const auto interrupted = Ledger(site->tree, site->paths.state + "/" + name).is_interrupted();
    if (!interrupted) return fail(interrupted.error());
    // What is refused is refused before anything is made, the lock's directory too; what was killed has made it already.
    if (!*interrupted || options.dry_run) {
        auto planned = plan();
        if (!planned) return fail(planned.error());
        if (options.dry_run) {
            if (*interrupted) (*planned)->done().warnings.emplace_back("it was interrupted the last time; that would be undone first");
            return (*planned)->done();
        }
    }
    auto done = [&]() -> Result<Installation> {
        auto workplace = Workplace::enter(*site, name);
        if (!workplace) return fail(workplace.error());
        auto planned = plan();
        if (!planned) return fail(planned.error());
        if (auto carried = (*planned)->carry_out(workplace->ledger()); !carried) return fail(carried.error());
        return (*planned)->done();
    }();
    if (!done) return done;
    add_warnings(*site, options, *done);
    if (!options.now) return done;
    if (auto started = start_now(*site, *done); !started) {
        Error error = started.error();
        error.detail.push_back("it is installed" + std::string(done->enabled ? " and enabled" : ""));
        return fail(std::move(error));
    }
    return done;
}

}  // namespace steward::manager
