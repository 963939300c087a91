#include <steward/manager.hpp>

#include <set>

#include "manager/apply.hpp"
#include "manager/family.hpp"
#include "manager/generate.hpp"
#include "manager/install.hpp"
#include "manager/operands.hpp"
#include "manager/preparation.hpp"
#include "manager/renew.hpp"
#include "manager/together.hpp"
#include "manager/verbs.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "supervise/reload.hpp"

namespace steward {

using manager::Located;

namespace {

bool is_anothers(const Located& located)
{
    if (!located.directory || os::effective_uid() == 0) return false;
    const auto directory = os::info(located.directory->directory());
    return directory && directory->uid != os::effective_uid();
}

// That the service is somebody else's tells more than which file or signal stood in the way.
template <class T>
Result<T> told(Result<T> outcome, const std::string& name, bool anothers, const char* verb)
{
    if (outcome || !anothers || outcome.error().code != ErrorCode::not_permitted) return outcome;
    Error error = outcome.error();
    error.operation = verb;
    error.object = name;
    error.cause = "not permitted";
    return fail(std::move(error));
}

}  // namespace

class Manager::Impl {
  public:
    // Whatever the caller has closed or ignores: children are made, and files opened, from here on.
    explicit Impl(ManagerOptions wanted) : options(wanted)
    {
        static_cast<void>(os::open_standard_streams());
        os::expect_children();
    }

    [[nodiscard]] Result<Located> locate(const Target& target, const char* operation) const
    {
        auto located = manager::locate(target, options.scope, operation);
        // Directories of one's own are a world of one's own, of which no init system knows.
        if (located && !options.here && located->paths.default_runtime) located->init_system = init::booted_authority;
        return located;
    }

    // Those that are not found are told at once.
    template <class Outcome>
    [[nodiscard]] std::vector<Located> locate_all(const std::vector<Target>& targets, const char* operation,
                                                  const std::function<void(const Part<Outcome>&)>& tell,
                                                  std::set<std::string>& anothers) const
    {
        std::vector<Located> found;
        for (const Target& target : targets) {
            auto located = locate(target, operation);
            if (!located) {
                tell({.name = target.name, .role = Role::asked, .of = {}, .outcome = fail(located.error())});
                continue;
            }
            if (is_anothers(*located)) anothers.insert(located->name);
            found.push_back(std::move(*located));
        }
        return found;
    }

    // One verb on one service.
    template <class Act>
    [[nodiscard]] auto act(const Target& target, const char* verb, Act act_on) const -> decltype(act_on(std::declval<Located&>()))
    {
        auto located = locate(target, verb);
        if (!located) return fail(located.error());
        const std::string name = located->name;
        const bool anothers = is_anothers(*located);
        return told(act_on(*located), name, anothers, verb);
    }

    [[nodiscard]] Result<std::optional<StartOutcome>> restart(const Target& target, const StartOptions& how, const char* verb,
                                                              manager::RestartWhat what, const OnStarted& others) const
    {
        return act(target, verb, [&](Located& located) {
            const bool reopens = manager::renew_unit(located) && manager::is_running(located);
            if (reopens) {
                if (auto stopped = manager::stop(located); !stopped) return Result<std::optional<StartOutcome>>(fail(stopped.error()));
            }
            return manager::restart_together(std::move(located), how, reopens ? manager::RestartWhat::anything : what, others);
        });
    }

    // A file given by its path is a file of the system that the package is for.
    [[nodiscard]] Result<Located> locate_for_package(const Target& target) const
    {
        const bool by_path = !target.file.empty() && !options.scope;
        return manager::locate(target, by_path ? Scope::system : options.scope, "generate for");
    }

    ManagerOptions options;
};

Manager::Manager(ManagerOptions options) : impl_(std::make_unique<Impl>(options)) {}
Manager::~Manager() = default;
Manager::Manager(Manager&&) noexcept = default;
Manager& Manager::operator=(Manager&&) noexcept = default;

Result<std::vector<Target>> Manager::resolve(const std::vector<std::string>& operands) const
{
    return manager::resolve(operands, impl_->options.scope);
}

Result<Target> Manager::ad_hoc(std::string name, Argv command) const
{
    return manager::ad_hoc(std::move(name), std::move(command));
}

Result<std::vector<Target>> Manager::all() const
{
    return manager::all_services(impl_->options.scope);
}

Result<std::vector<Target>> Manager::enabled() const
{
    auto targets = all();
    if (!targets) return targets;
    std::erase_if(*targets, [this](const Target& target) {
        const auto located = impl_->locate(target, "run");
        return located && manager::at_boot_without_init(*located) == manager::AtBoot::no;
    });
    return targets;
}

void Manager::start(const std::vector<Target>& targets, const StartOptions& options, const OnStarted& tell)
{
    std::set<std::string> anothers;
    auto found = impl_->locate_all<StartOutcome>(targets, "start", tell, anothers);
    for (const Located& located : found) static_cast<void>(manager::renew_unit(located));
    manager::start_together(std::move(found), options, [&](StartPart part) {
        part.outcome = told(std::move(part.outcome), part.name, anothers.contains(part.name), "start");
        tell(part);
    });
}

Result<StartOutcome> Manager::start(const Target& target, const StartOptions& options)
{
    Result<StartOutcome> outcome = StartOutcome{};
    start({target}, options, [&](const StartPart& part) {
        if (part.role == Role::asked) outcome = part.outcome;
    });
    return outcome;
}

void Manager::stop(const std::vector<Target>& targets, const OnStopped& tell)
{
    std::set<std::string> anothers;
    auto found = impl_->locate_all<StopOutcome>(targets, "stop", tell, anothers);
    manager::stop_together(std::move(found), [&](StopPart part) {
        part.outcome = told(std::move(part.outcome), part.name, anothers.contains(part.name), "stop");
        tell(part);
    });
}

Result<StopOutcome> Manager::stop(const Target& target)
{
    Result<StopOutcome> outcome = StopOutcome{};
    stop({target}, [&](const StopPart& part) {
        if (part.role == Role::asked) outcome = part.outcome;
    });
    return outcome;
}

Result<StartOutcome> Manager::restart(const Target& target, const StartOptions& options, const OnStarted& others)
{
    auto outcome = impl_->restart(target, options, "restart", manager::RestartWhat::anything, others);
    if (!outcome) return fail(outcome.error());
    return **outcome;
}

Result<std::optional<StartOutcome>> Manager::try_restart(const Target& target, const StartOptions& options, const OnStarted& others)
{
    return impl_->restart(target, options, "try-restart", manager::RestartWhat::running, others);
}

Result<void> Manager::reload(const Target& target)
{
    return impl_->act(target, "reload", [](Located& located) { return manager::reload(located); });
}

Result<void> Manager::rotate_logs(const Target& target)
{
    return impl_->act(target, "rotate the log of", [](Located& located) { return manager::rotate_logs(located); });
}

Result<void> Manager::reopen_logs(const Target& target)
{
    return impl_->act(target, "reopen the log of", [](Located& located) { return manager::reopen_logs(located); });
}

Result<void> Manager::force_reload(const Target& target, const StartOptions& options, const OnStarted& others)
{
    auto reloaded = impl_->act(target, "force-reload", [](Located& located) { return manager::reload(located); });
    const bool restart = !reloaded && (reloaded.error().code == ErrorCode::unsupported || reloaded.error().code == ErrorCode::not_running);
    if (!restart) return reloaded;
    auto restarted = impl_->restart(target, options, "force-reload", manager::RestartWhat::anything, others);
    if (!restarted) return fail(restarted.error());
    return {};
}

Result<bool> Manager::reexec(const Target& target)
{
    return impl_->act(target, "reexec", [](Located& located) { return manager::reexec(located); });
}

Result<Application> Manager::apply(const Target& target, const ApplyOptions& options, const OnStarted& others)
{
    return impl_->act(target, "apply", [&](Located& located) { return manager::apply(std::move(located), options, others); });
}

Result<void> Manager::signal(const Target& target, int signal)
{
    return impl_->act(target, "signal", [signal](Located& located) { return manager::signal_main(located, signal); });
}

Result<RunOutcome> Manager::run(const std::vector<Target>& targets, const RunOptions& options)
{
    std::vector<Located> services;
    for (const Target& target : targets) {
        auto located = impl_->locate(target, "run");
        if (!located) return fail(located.error());
        services.push_back(std::move(*located));
    }
    return manager::run(services, options);
}

Result<ServiceStatus> Manager::status(const Target& target, const StatusOptions& options) const
{
    auto located = impl_->locate(target, "tell the status of");
    if (!located) return fail(located.error());
    return manager::status(*located, options);
}

Result<void> Manager::logs(const std::vector<Target>& targets, const LogOptions& options, LogSink& sink) const
{
    std::vector<Located> services;
    for (const Target& target : targets) {
        auto located = impl_->locate(target, "show the log of");
        if (located)
            services.push_back(std::move(*located));
        else
            sink.fault(target.name, located.error());
    }
    return services.empty() ? Result<void>{} : manager::logs(services, options, sink);
}

Result<ShownService> Manager::show(const Target& target) const
{
    auto located = impl_->locate(target, "show");
    if (!located) return fail(located.error());
    auto loaded = manager::load_current(*located);
    if (!loaded) return fail(loaded.error());
    return ShownService{
        .name = located->name, .service_file = located->sources ? located->sources->file : "", .keys = std::move(loaded->keys)};
}

std::optional<ServiceSpec::Dependencies> Manager::dependencies(const Target& target) const
{
    auto located = impl_->locate(target, "list");
    if (!located) return std::nullopt;
    auto loaded = manager::load_current(*located);
    if (!loaded) return std::nullopt;
    return std::move(loaded->spec.dependencies);
}

Result<void> Manager::check(const Target& target) const
{
    return check(std::vector{target}).front();
}

std::vector<Result<void>> Manager::check(const std::vector<Target>& targets) const
{
    return manager::check(targets, impl_->options.scope);
}

Result<Generated> Manager::generate(const Target& target, const GenerateOptions& options) const
{
    auto located = impl_->locate_for_package(target);
    if (!located) return fail(located.error());
    return manager::generate(*located, options);
}

Result<std::vector<PackageScript>> Manager::package_scripts(const std::vector<Target>& targets, PackageFormat format,
                                                            const std::string& destination) const
{
    std::vector<manager::Located> services;
    for (const Target& target : targets) {
        auto located = impl_->locate_for_package(target);
        if (!located) return fail(located.error());
        services.push_back(std::move(*located));
    }
    return manager::package_scripts(services, format, destination);
}

Result<Installation> Manager::install(const Target& target, const InstallOptions& options)
{
    return manager::install(target, impl_->options, options);
}

Result<Installation> Manager::uninstall(const Target& target, const UninstallOptions& options)
{
    return manager::uninstall(target, impl_->options, options);
}

Result<Installation> Manager::enable(const Target& target, const BootOptions& options)
{
    return manager::set_at_boot(target, impl_->options, manager::AtBoot::yes, options);
}

Result<Installation> Manager::disable(const Target& target, const BootOptions& options)
{
    return manager::set_at_boot(target, impl_->options, manager::AtBoot::no, options);
}

int carry_on(const std::vector<std::string>& words)
{
    return manager::carry_on(words);
}

}  // namespace steward
