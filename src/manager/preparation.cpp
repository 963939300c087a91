#include "manager/preparation.hpp"

#include "os/message_socket.hpp"
#include "record/pid_file.hpp"

namespace steward::manager {

namespace {

supervise::OutputTarget output_of(const ServiceSpec& spec, const Paths& paths, Foreground foreground)
{
    using Kind = supervise::OutputTarget::Kind;
    supervise::OutputTarget target{.kind = Kind::file,
                                   .log_file = spec.log.file.empty() ? paths.log_file(spec.name) : spec.log.file,
                                   .stderr_file = spec.log.stderr_file,
                                   .system_scope = paths.scope == Scope::system};
    const bool file_asked = spec.log.output == LogOutput::file || !spec.log.file.empty() || !spec.log.stderr_file.empty();
    if (spec.log.output == LogOutput::null) target.kind = Kind::null;
    if (spec.log.output == LogOutput::inherit) target.kind = Kind::inherit;
    if (spec.log.output == LogOutput::automatic && foreground == Foreground::yes && !file_asked) target.kind = Kind::inherit;
    // A daemon has nothing to inherit: its caller's terminal is not its own.
    if (target.kind == Kind::inherit && foreground == Foreground::no) target.kind = Kind::null;
    return target;
}

// One name for one service of one runtime directory, so that two of the same name in different places keep apart.
std::string cgroup_name_of(const std::string& name, const Paths& paths)
{
    if (paths.default_runtime && paths.scope == Scope::system) return name;
    return name + "-" + std::to_string(std::hash<std::string>{}(paths.runtime));
}

Result<std::optional<process::LaunchPlan>> command_plan(const ServiceSpec& spec, const Argv& command, const process::PlanContext& context)
{
    if (command.empty()) return std::optional<process::LaunchPlan>();
    auto plan = process::make_command_plan(spec, command, context);
    if (!plan) return fail(plan.error());
    return std::optional(std::move(*plan));
}

}  // namespace

Result<Preparation> prepare(const Located& located, Foreground foreground, MakeDirectories directories)
{
    auto loaded = load_current(located);
    if (!loaded) return fail(loaded.error());
    Preparation prepared;
    prepared.spec = std::move(loaded->spec);
    const ServiceSpec& spec = prepared.spec;
    prepared.pid_file = spec.service.pid_file.empty() ? located.paths.pid_file(spec.name) : spec.service.pid_file;
    prepared.output = output_of(spec, located.paths, foreground);
    prepared.cgroup_name = cgroup_name_of(spec.name, located.paths);
    prepared.service_file = located.sources ? located.sources->file : "";
    prepared.file_digest = located.sources ? config::digest(loaded->files) : 0;

    process::PlanContext context{.as_pid_1 = foreground == Foreground::yes && os::self_pid() == 1, .extra_environment = {}};
    if (directories == MakeDirectories::yes) {
        auto made = process::make_directories(spec, process::directory_roots(located.paths.scope == Scope::system));
        if (!made) return fail(made.error());
        context.extra_environment = std::move(*made);
    }
    auto plan = process::make_launch_plan(spec, context);
    if (!plan) return fail(plan.error());
    prepared.plan = std::move(*plan);
    auto stop = command_plan(spec, spec.stop.command, context);
    if (!stop) return fail(stop.error());
    prepared.stop_command = std::move(*stop);
    auto reload = command_plan(spec, spec.reload.command, context);
    if (!reload) return fail(reload.error());
    prepared.reload_command = std::move(*reload);
    return prepared;
}

Result<supervise::Assignment> assign(Preparation preparation, record::ServiceDirectory directory, os::UniqueFd lease)
{
    const auto owner = os::effective_uid();
    if (auto place = record::check_pid_file_place(preparation.pid_file, owner); !place) return fail(place.error());
    auto boot = os::boot_identity();
    if (!boot) return fail(boot.error());
    if (auto written = directory.write_service_file(config::render(preparation.spec)); !written) return fail(written.error());
    supervise::Assignment assignment{.spec = std::move(preparation.spec),
                                     .plan = std::move(preparation.plan),
                                     .stop_command = std::move(preparation.stop_command),
                                     .reload_command = std::move(preparation.reload_command),
                                     .output = std::move(preparation.output),
                                     .directory = std::move(directory),
                                     .lease = std::move(lease),
                                     .control = {},
                                     .boot = std::move(*boot),
                                     .cgroup_name = std::move(preparation.cgroup_name),
                                     .pid_file = std::move(preparation.pid_file),
                                     .owner = owner,
                                     .service_file = std::move(preparation.service_file),
                                     .file_digest = preparation.file_digest};
    return assignment;
}

}  // namespace steward::manager
