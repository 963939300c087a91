#include "fake_manager.hpp"

#include <fnmatch.h>

#include <algorithm>

#include <steward/package_policy.hpp>

namespace steward {

using cli::fake_host;

class Manager::Impl {};

namespace {

Result<void> call(const char* verb, const Target& target)
{
    fake_host().calls.push_back(std::string(verb) + " " + target.name);
    const auto found = fake_host().errors.find(target.name);
    if (found != fake_host().errors.end()) return fail(found->second);
    return {};
}

Installation installed(const std::string& name)
{
    Installation installation = fake_host().installation;
    installation.name = name;
    return installation;
}

Error unknown(const std::string& name)
{
    return Error{
        .code = ErrorCode::unknown_service, .operation = "find", .object = name, .cause = "there is no such service", .next_step = {}};
}

}  // namespace

Manager::Manager(ManagerOptions options)
{
    fake_host().scope = options.scope;
}
Manager::~Manager() = default;
Manager::Manager(Manager&&) noexcept = default;
Manager& Manager::operator=(Manager&&) noexcept = default;

Result<std::vector<Target>> Manager::resolve(const std::vector<std::string>& operands) const
{
    std::vector<Target> targets;
    for (const std::string& operand : operands) {
        if (operand.ends_with(".toml")) {
            targets.push_back({operand.substr(0, operand.size() - 5), operand, {}});
        } else if (operand.find('*') != std::string::npos) {
            for (const auto& [name, status] : fake_host().services) {
                if (fnmatch(operand.c_str(), name.c_str(), 0) == 0) targets.push_back({name, {}, {}});
            }
            if (targets.empty()) return fail(unknown(operand));
        } else if (operand.find(' ') != std::string::npos) {
            return fail(Error{.code = ErrorCode::invalid_argument,
                              .operation = "find",
                              .object = "'" + operand + "'",
                              .cause = "not a service's name",
                              .next_step = {}});
        } else {
            targets.push_back({operand, {}, {}});
        }
    }
    return targets;
}

Result<Target> Manager::ad_hoc(std::string name, Argv command) const
{
    fake_host().ad_hoc_command = command;
    return Target{std::move(name), {}, std::move(command)};
}

Result<std::vector<Target>> Manager::all() const
{
    const auto found = fake_host().errors.find("");
    if (found != fake_host().errors.end()) return fail(found->second);
    std::vector<Target> targets;
    for (const auto& [name, status] : fake_host().services) targets.push_back({name, {}, {}});
    return targets;
}

Result<std::vector<Target>> Manager::enabled() const
{
    return all();
}

void Manager::start(const std::vector<Target>& targets, const StartOptions& options, const OnStarted& told)
{
    fake_host().start_options = options;
    auto order = targets;
    if (fake_host().reversed) std::reverse(order.begin(), order.end());
    for (const Target& target : order) {
        for (const StartPart& part : fake_host().along) told(part);
        told({target.name, Role::asked, {}, call("start", target).map([] { return fake_host().start_outcome; })});
    }
}

void Manager::stop(const std::vector<Target>& targets, const OnStopped& told)
{
    for (const Target& target : targets) {
        told({target.name, Role::asked, {}, call("stop", target).map([] { return fake_host().stop_outcome; })});
    }
}

Result<StartOutcome> Manager::restart(const Target& target, const StartOptions& options, const OnStarted& others)
{
    fake_host().start_options = options;
    for (const StartPart& part : fake_host().along) others(part);
    return call("restart", target).map([] { return fake_host().start_outcome; });
}

Result<std::optional<StartOutcome>> Manager::try_restart(const Target& target, const StartOptions& options, const OnStarted&)
{
    fake_host().start_options = options;
    return call("try-restart", target).map([] {
        return fake_host().stop_outcome.was_running ? std::optional(fake_host().start_outcome) : std::nullopt;
    });
}

Result<void> Manager::reload(const Target& target)
{
    return call("reload", target);
}

Result<bool> Manager::reexec(const Target& target)
{
    return call("reexec", target).map([] { return fake_host().supervised; });
}

Result<void> Manager::rotate_logs(const Target& target)
{
    return call("rotate", target);
}

Result<void> Manager::reopen_logs(const Target& target)
{
    return call("reopen", target);
}

Result<void> Manager::force_reload(const Target& target, const StartOptions& options, const OnStarted&)
{
    fake_host().start_options = options;
    return call("force-reload", target);
}

Result<void> Manager::signal(const Target& target, int signal)
{
    return call(("signal " + std::to_string(signal)).c_str(), target);
}

Result<RunOutcome> Manager::run(const std::vector<Target>& targets, const RunOptions& options)
{
    fake_host().run_options = options;
    for (const Target& target : targets) {
        if (auto called = call("run", target); !called) return fail(called.error());
    }
    return fake_host().run_outcome;
}

Result<ServiceStatus> Manager::status(const Target& target, const StatusOptions& options) const
{
    fake_host().status_options = options;
    if (auto called = call("status", target); !called) return fail(called.error());
    const auto found = fake_host().services.find(target.name);
    if (found == fake_host().services.end()) return fail(unknown(target.name));
    ServiceStatus status = found->second;
    if (status.last_lines.size() > options.last_lines) {
        status.last_lines.erase(status.last_lines.begin(), status.last_lines.end() - static_cast<std::ptrdiff_t>(options.last_lines));
    }
    return status;
}

Result<ShownService> Manager::show(const Target& target) const
{
    return call("show", target).map([&] { return ShownService{target.name, "/etc/steward/" + target.name + ".toml", fake_host().keys}; });
}

Result<void> Manager::logs(const std::vector<Target>& targets, const LogOptions& options, LogSink& sink) const
{
    fake_host().log_options = options;
    if (options.pattern == "(") {
        return fail(Error{.code = ErrorCode::invalid_argument,
                          .operation = "use the pattern",
                          .object = "'('",
                          .cause = "missing ): (",
                          .next_step = {}});
    }
    for (const Target& target : targets) {
        if (auto called = call("logs", target); !called) sink.fault(target.name, called.error());
    }
    for (const LogLine& line : fake_host().log) {
        if (!sink.line(line)) return {};
    }
    return {};
}

Result<Generated> Manager::generate(const Target& target, const GenerateOptions& options) const
{
    fake_host().generate_options = options;
    return call("generate", target).map([&] {
        Generated generated = fake_host().generated;
        generated.name = target.name;
        return generated;
    });
}

Result<std::vector<PackageScript>> Manager::package_scripts(const std::vector<Target>& targets, PackageFormat format,
                                                            const std::string& destination) const
{
    std::string names;
    for (const Target& target : targets) names += (names.empty() ? "" : "+") + target.name;
    return call("package_scripts", {.name = names, .file = {}, .command = {}}).map([&] {
        const std::string name = format == PackageFormat::deb ? "postinst" : "post";
        return std::vector<PackageScript>{{.name = name, .text = "# " + names + " " + destination + "\n"}};
    });
}

Result<Installation> Manager::install(const Target& target, const InstallOptions& options)
{
    fake_host().install_options = options;
    return call("install", target).map([&] { return installed(target.name); });
}

Result<Installation> Manager::uninstall(const Target& target, const UninstallOptions& options)
{
    fake_host().uninstall_options = options;
    return call("uninstall", target).map([&] { return installed(target.name); });
}

Result<Installation> Manager::enable(const Target& target, const BootOptions& options)
{
    fake_host().boot_options = options;
    return call("enable", target).map([&] { return installed(target.name); });
}

Result<Installation> Manager::disable(const Target& target, const BootOptions& options)
{
    fake_host().boot_options = options;
    return call("disable", target).map([&] { return installed(target.name); });
}

Result<Application> Manager::apply(const Target& target, const ApplyOptions& options, const OnStarted& others)
{
    fake_host().apply_options = options;
    for (const StartPart& part : fake_host().along) others(part);
    return call("apply", target).map([&] {
        Application application = fake_host().application;
        application.name = target.name;
        return application;
    });
}

std::optional<ServiceSpec::Dependencies> Manager::dependencies(const Target& target) const
{
    const auto found = fake_host().dependencies.find(target.name);
    return found == fake_host().dependencies.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Result<void>> Manager::check(const std::vector<Target>& targets) const
{
    std::vector<Result<void>> outcomes;
    for (const Target& target : targets) outcomes.push_back(call("check", target));
    return outcomes;
}

int carry_on(const std::vector<std::string>& words)
{
    for (const std::string& word : words) cli::fake_host().calls.push_back(word);
    return 42;
}

bool in_maintainer_script()
{
    return fake_host().in_maintainer_script;
}

std::optional<std::string> objection_to(const std::string& action, const std::string& service)
{
    const auto found = fake_host().objections.find(action + " " + service);
    return found == fake_host().objections.end() ? std::nullopt : std::optional(found->second);
}

namespace cli {

FakeHost& fake_host()
{
    static FakeHost host;
    return host;
}

ServiceStatus running_service(const std::string& name)
{
    ServiceStatus status;
    status.name = name;
    status.state = ServiceState::running;
    status.lsb_code = 0;
    status.supervisor_alive = true;
    status.main_pid = 4121;
    status.supervisor_pid = 4120;
    status.keeper_pid = 4119;
    status.command = {"/usr/sbin/" + name};
    status.service_file = "/etc/steward/" + name + ".toml";
    return status;
}

}  // namespace cli

}  // namespace steward
