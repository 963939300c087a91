#include <steward/manager.hpp>

#include <algorithm>

#include "manager/generate.hpp"
#include "manager/preparation.hpp"
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
Result<T> told(Result<T> outcome, const Located& located, const char* verb)
{
    if (outcome || outcome.error().code != ErrorCode::not_permitted || !is_anothers(located)) return outcome;
    Error error = outcome.error();
    error.operation = verb;
    error.object = located.name;
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
        return manager::locate(target, options.scope, operation);
    }

    [[nodiscard]] std::vector<manager::Paths> scopes() const
    {
        std::vector<manager::Paths> found;
        const Scope first = options.scope.value_or(manager::callers_scope());
        if (auto paths = manager::paths_of(first)) found.push_back(std::move(*paths));
        if (options.scope) return found;
        const Scope second = first == Scope::system ? Scope::user : Scope::system;
        if (auto paths = manager::paths_of(second)) found.push_back(std::move(*paths));
        return found;
    }

    ManagerOptions options;
};

Manager::Manager(ManagerOptions options) : impl_(std::make_unique<Impl>(options)) {}
Manager::~Manager() = default;
Manager::Manager(Manager&&) noexcept = default;
Manager& Manager::operator=(Manager&&) noexcept = default;

Result<std::vector<Target>> Manager::resolve(const std::vector<std::string>& operands) const
{
    std::vector<Target> targets;
    for (const std::string& operand : operands) {
        if (operand.find('/') != std::string::npos || operand.ends_with(".toml")) {
            auto paths = manager::paths_of(impl_->options.scope.value_or(manager::callers_scope()));
            if (!paths) return fail(paths.error());
            auto sources = manager::sources_of_file(*paths, operand);
            if (!sources) return fail(sources.error());
            targets.push_back({.name = sources->name, .file = sources->file, .command = {}});
            continue;
        }
        if (!manager::is_glob(operand)) {
            if (!config::is_valid_name(operand)) {
                return fail(Error{.code = ErrorCode::invalid_argument,
                                  .operation = "use",
                                  .object = os::quoted(operand),
                                  .cause = "not a service's name: letters and digits, then also '_', '.', '@', ':', '-'"});
            }
            targets.push_back({.name = operand, .file = {}, .command = {}});
            continue;
        }
        auto known = all();
        if (!known) return fail(known.error());
        const auto before = targets.size();
        for (auto& target : *known) {
            if (manager::glob_matches(operand, target.name)) targets.push_back(std::move(target));
        }
        if (targets.size() == before) {
            return fail(Error{.code = ErrorCode::unknown_service,
                              .operation = "find",
                              .object = os::quoted(operand),
                              .cause = "no service's name matches",
                              .next_step = "steward list"});
        }
    }
    return targets;
}

Result<Target> Manager::ad_hoc(std::string name, Argv command) const
{
    if (!config::is_valid_name(name)) {
        return fail(Error{.code = ErrorCode::invalid_argument,
                          .operation = "use",
                          .object = os::quoted(name),
                          .cause = "not a service's name: letters and digits, then also '_', '.', '@', ':', '-'"});
    }
    if (command.empty()) {
        return fail(Error{.code = ErrorCode::invalid_argument,
                          .operation = "start",
                          .object = name,
                          .cause = "no command is given",
                          .next_step = "steward start --name " + name + " -- CMD ARG..."});
    }
    return Target{.name = std::move(name), .file = {}, .command = std::move(command)};
}

Result<std::vector<Target>> Manager::all() const
{
    std::vector<std::string> names;
    for (const auto& paths : impl_->scopes()) {
        auto known = manager::known_names(paths);
        // The other scope may be closed to this caller; its own may not.
        if (!known && names.empty() && impl_->options.scope) return fail(known.error());
        if (known) names.insert(names.end(), known->begin(), known->end());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::vector<Target> targets;
    for (auto& name : names) targets.push_back({.name = std::move(name), .file = {}, .command = {}});
    return targets;
}

Result<StartOutcome> Manager::start(const Target& target, const StartOptions& options)
{
    auto located = impl_->locate(target, "start");
    if (!located) return fail(located.error());
    return told(manager::start(*located, options), *located, "start");
}

Result<StopOutcome> Manager::stop(const Target& target)
{
    auto located = impl_->locate(target, "stop");
    if (!located) return fail(located.error());
    return told(manager::stop(*located), *located, "stop");
}

Result<StartOutcome> Manager::restart(const Target& target, const StartOptions& options)
{
    auto located = impl_->locate(target, "restart");
    if (!located) return fail(located.error());
    auto outcome = told(manager::restart(*located, options, manager::RestartWhat::anything), *located, "restart");
    if (!outcome) return fail(outcome.error());
    return **outcome;
}

Result<std::optional<StartOutcome>> Manager::try_restart(const Target& target, const StartOptions& options)
{
    auto located = impl_->locate(target, "try-restart");
    if (!located) return fail(located.error());
    return told(manager::restart(*located, options, manager::RestartWhat::running), *located, "try-restart");
}

Result<void> Manager::reload(const Target& target)
{
    auto located = impl_->locate(target, "reload");
    if (!located) return fail(located.error());
    return told(manager::reload(*located), *located, "reload");
}

Result<void> Manager::force_reload(const Target& target, const StartOptions& options)
{
    auto located = impl_->locate(target, "force-reload");
    if (!located) return fail(located.error());
    auto reloaded = told(manager::reload(*located), *located, "force-reload");
    const bool restart = !reloaded && (reloaded.error().code == ErrorCode::unsupported || reloaded.error().code == ErrorCode::not_running);
    if (!restart) return reloaded;
    auto restarted = told(manager::restart(*located, options, manager::RestartWhat::anything), *located, "force-reload");
    if (!restarted) return fail(restarted.error());
    return {};
}

Result<void> Manager::signal(const Target& target, int signal)
{
    auto located = impl_->locate(target, "signal");
    if (!located) return fail(located.error());
    return told(manager::signal_main(*located, signal), *located, "signal");
}

Result<RunOutcome> Manager::run(const std::vector<Target>& targets)
{
    std::vector<Located> services;
    for (const Target& target : targets) {
        auto located = impl_->locate(target, "run");
        if (!located) return fail(located.error());
        services.push_back(std::move(*located));
    }
    return manager::run(services);
}

Result<ServiceStatus> Manager::status(const Target& target, const StatusOptions& options) const
{
    auto located = impl_->locate(target, "tell the status of");
    if (!located) return fail(located.error());
    return manager::status(*located, options);
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

Result<void> Manager::check(const Target& target) const
{
    auto located = impl_->locate(target, "check");
    if (!located) return fail(located.error());
    auto prepared = manager::prepare(*located, manager::Foreground::no, manager::MakeDirectories::no);
    if (!prepared) return fail(prepared.error());
    return {};
}

Result<Generated> Manager::generate(const Target& target, const GenerateOptions& options) const
{
    const bool by_path = !target.file.empty() && !impl_->options.scope;
    auto located = manager::locate(target, by_path ? Scope::system : impl_->options.scope, "generate for");
    if (!located) return fail(located.error());
    return manager::generate(*located, options);
}

}  // namespace steward
