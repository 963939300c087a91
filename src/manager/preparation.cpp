#include "manager/preparation.hpp"

#include <cerrno>
#include <charconv>

#include "log/pattern.hpp"
#include "manager/judgement.hpp"
#include "os/error.hpp"
#include "os/notify.hpp"
#include "record/pid_file.hpp"
#include "supervise/limited_cgroup.hpp"

namespace steward::manager {

namespace {

constexpr std::string_view digest_mark = "# digest ";

supervise::OutputTarget output_of(const ServiceSpec& spec, const Paths& paths, Foreground foreground)
{
    using Kind = supervise::OutputTarget::Kind;
    supervise::OutputTarget target{.kind = Kind::file,
                                   .log_file = spec.log.file.empty() ? paths.log_file(spec.name) : spec.log.file,
                                   .stderr_file = spec.log.stderr_file,
                                   .system_scope = paths.scope == Scope::system};
    if (target.stderr_file == target.log_file) target.stderr_file.clear();
    // What is to be read there has to be there.
    const bool file_asked =
        !spec.ready.log.empty() || spec.log.output == LogOutput::file || !spec.log.file.empty() || !spec.log.stderr_file.empty();
    if (spec.log.output == LogOutput::null) target.kind = Kind::null;
    if (spec.log.output == LogOutput::inherit) target.kind = Kind::inherit;
    if (spec.log.output == LogOutput::automatic && foreground == Foreground::yes && !file_asked) target.kind = Kind::inherit;
    // A daemon has nothing to inherit: its caller's terminal is not its own.
    if (target.kind == Kind::inherit && foreground == Foreground::no) target.kind = Kind::null;
    send_output(target, spec, paths);
    return target;
}

// One name for one service of one runtime directory, so that two of the same name in different places keep apart.
std::string cgroup_name_of(const std::string& name, const Paths& paths)
{
    if (paths.default_runtime && paths.scope == Scope::system) return name;
    return name + "-" + std::to_string(std::hash<std::string>{}(paths.runtime));
}

Result<process::OptionalPlan> command_plan(const ServiceSpec& spec, const Argv& command, const process::PlanContext& context)
{
    if (command.empty()) return process::OptionalPlan();
    auto plan = process::make_command_plan(spec, command, context);
    if (!plan) return fail(plan.error());
    return std::make_shared<const process::LaunchPlan>(std::move(*plan));
}

Result<void> check_pattern(const ServiceSpec& spec)
{
    if (spec.ready.log.empty()) return {};
    auto pattern = log::Pattern::compile(spec.ready.log);
    if (pattern) return {};
    Error error = pattern.error();
    return fail(Error{.code = ErrorCode::invalid_service_file,
                      .operation = "start",
                      .object = spec.name,
                      .cause = "[ready] log " + os::quoted(spec.ready.log) + " is no regular expression: " + error.cause});
}

Result<supervise::HookPlans> hook_plans(const ServiceSpec& spec, const process::PlanContext& context)
{
    supervise::HookPlans plans;
    for (const supervise::Hook hook : supervise::every_hook) {
        supervise::Commands commands;
        for (const Argv& command : supervise::commands_of(spec, hook)) {
            auto plan = process::make_command_plan(spec, command, context);
            if (!plan) return fail(plan.error());
            commands.push_back(std::move(*plan));
        }
        plans.set(hook, std::move(commands));
    }
    return plans;
}

// A file that has gone takes its service with it: what still runs can be stopped and taken over, but not started anew.
Result<void> require_file(const Located& located)
{
    if (located.sources || !located.ad_hoc.empty() || !located.directory) return {};
    const auto state = located.directory->read_state();
    if (!state || !*state || (*state)->service_file.empty()) return {};
    return fail(Error{.code = ErrorCode::unknown_service,
                      .operation = "start",
                      .object = located.name,
                      .cause = "its service file " + os::quoted((*state)->service_file) + " is gone"});
}

// A directory that is missing may be one that is made later.
Result<void> check_pid_file_place(const std::string& pid_file, std::uint32_t owner)
{
    auto place = record::check_pid_file_place(pid_file, owner);
    if (!place && place.error().os_errno == ENOENT) return {};
    return place;
}

constexpr const char* notify_variable = "NOTIFY_SOCKET";
constexpr const char* notify_name = "notify";

// Where the program finds it; it is made when the service is started.
Result<std::string> notify_socket_of(const Located& located)
{
    constexpr std::size_t longest = 107;  // sockaddr_un
    std::string path = located.paths.runtime + "/" + located.name + "/" + notify_name;
    if (path.size() <= longest) return path;
    return fail(Error{.code = ErrorCode::failed,
                      .operation = "start",
                      .object = located.name,
                      .cause = "its notify socket " + os::quoted(path) + " would have a longer path than a socket can have",
                      .next_step = {}});
}

// For a service that has no record, and a name that only the kernel knows before.
Result<void> listen_without_record(supervise::Assignment& assignment)
{
    auto listener = os::listen_to_notifications();
    if (!listener) return fail(listener.error());
    assignment.notify = std::move(listener->socket);
    const std::string prefix = std::string(notify_variable) + "=";
    for (std::string& variable : assignment.plan.environment) {
        if (variable.starts_with(prefix)) variable = prefix + listener->address;
    }
    return {};
}

// Over what stood in the record before.
Result<void> note_start(const supervise::Assignment& assignment)
{
    const auto& record = *assignment.directory;
    if (auto written = record.write_service_file(recorded_file(assignment.spec, assignment.file_digest)); !written) return written;
    // The old main process before the new boot identity: its number and start time mean nothing in another boot.
    if (auto cleared = record.clear_main(); !cleared) return cleared;
    return record.write_state(supervise::initial_state(assignment));
}

// All or none: what an error leaves behind is nothing.
Result<void> open_all_sockets(supervise::Assignment& assignment, const OfferedSockets& offered)
{
    supervise::take_sockets(assignment, offered.descriptors, offered.files);
    auto opened = supervise::open_sockets(assignment);
    if (!opened) supervise::remove_socket_files(assignment);
    return opened;
}

// Of the record's service file, which may be newer than the state beside it.
std::optional<std::uint64_t> recorded_digest(const Located& located)
{
    const auto text = located.directory->read_service_file();
    if (!text || !*text || !(*text)->starts_with(digest_mark)) return std::nullopt;
    const char* const begin = (*text)->data() + digest_mark.size();
    std::uint64_t digest = 0;
    const auto [end, error] = std::from_chars(begin, (*text)->data() + (*text)->size(), digest);
    return error == std::errc{} && *end == '\n' ? std::optional(digest) : std::nullopt;
}

Result<Preparation> prepare_spec(const Located& located, ServiceSpec wanted, Foreground foreground, MakeDirectories directories)
{
    Preparation prepared;
    prepared.spec = std::move(wanted);
    const ServiceSpec& spec = prepared.spec;
    prepared.pid_file = spec.service.pid_file.empty() ? located.paths.pid_file(spec.name) : spec.service.pid_file;
    prepared.output = output_of(spec, located.paths, foreground);
    prepared.cgroup_name = cgroup_name_of(spec.name, located.paths);

    process::PlanContext context{.as_pid_1 = foreground == Foreground::yes && os::self_pid() == 1, .extra_environment = {}};
    if (directories == MakeDirectories::yes) {
        auto made = process::make_directories(spec, process::directory_roots(located.paths.scope == Scope::system));
        if (!made) return fail(made.error());
        context.extra_environment = std::move(*made);
    }
    if (auto pattern = check_pattern(spec); !pattern) return fail(pattern.error());
    if (auto possible = supervise::check_limits(spec); !possible) return fail(possible.error());
    if (spec.listens()) {
        auto address = notify_socket_of(located);
        if (!address) return fail(address.error());
        context.extra_environment[notify_variable] = std::move(*address);
    }
    if (spec.health.watchdog) context.extra_environment["WATCHDOG_USEC"] = std::to_string(spec.health.interval.count());
    auto plan = process::make_launch_plan(spec, context);
    if (!plan) return fail(plan.error());
    prepared.plan = std::move(*plan);
    auto stop = command_plan(spec, spec.stop.command, context);
    if (!stop) return fail(stop.error());
    prepared.stop_command = std::move(*stop);
    auto reload = command_plan(spec, spec.reload.command, context);
    if (!reload) return fail(reload.error());
    prepared.reload_command = std::move(*reload);
    auto ready = command_plan(spec, spec.ready.command, context);
    if (!ready) return fail(ready.error());
    prepared.ready_command = std::move(*ready);
    auto health = command_plan(spec, spec.health.command, context);
    if (!health) return fail(health.error());
    prepared.health_command = std::move(*health);
    auto hooks = hook_plans(spec, context);
    if (!hooks) return fail(hooks.error());
    prepared.hooks = std::move(*hooks);
    prepared.pid_file_owner = expected_pid_file(spec).owner;
    if (auto place = check_pid_file_place(prepared.pid_file, prepared.pid_file_owner); !place) return fail(place.error());
    return prepared;
}

}  // namespace

void send_output(supervise::OutputTarget& target, const ServiceSpec& spec, const Paths& paths)
{
    using Kind = supervise::OutputTarget::Kind;
    const bool to_journal = spec.log.output == LogOutput::journal;
    if (!to_journal && spec.log.output != LogOutput::syslog) return;
    target.kind = to_journal ? Kind::journal : Kind::syslog;
    target.socket = to_journal ? paths.journal_socket : paths.syslog_socket;
}

Result<Preparation> prepare(const Located& located, Foreground foreground, MakeDirectories directories)
{
    if (auto there = require_file(located); !there) return fail(there.error());
    auto loaded = load_current(located);
    if (!loaded) return fail(loaded.error());
    auto prepared = prepare_spec(located, std::move(loaded->spec), foreground, directories);
    if (!prepared || !located.sources) return prepared;
    prepared->service_file = located.sources->file;
    prepared->file_digest = config::digest(loaded->files);
    return prepared;
}

Result<Preparation> prepare_started(const Located& located, const record::State& state, Foreground foreground)
{
    auto started = load_started(located);
    if (!started) return fail(started.error());
    auto prepared = prepare_spec(located, std::move(*started), foreground, MakeDirectories::yes);
    if (!prepared) return prepared;
    prepared->pid_file = state.pid_file;
    prepared->service_file = state.service_file;
    prepared->file_digest = recorded_digest(located).value_or(state.file_digest);
    return prepared;
}

std::string recorded_file(const ServiceSpec& spec, std::uint64_t digest)
{
    return std::string(digest_mark) + std::to_string(digest) + "\n" + config::render(spec);
}

Result<supervise::Assignment> assignment_of(Preparation preparation)
{
    auto boot = os::boot_identity();
    if (!boot) return fail(boot.error());
    auto mailbox = preparation.spec.ready.fd != 0 ? os::make_mailbox() : Result<os::UniqueFd>(os::UniqueFd());
    if (!mailbox) return fail(mailbox.error());
    const std::size_t sockets = preparation.spec.sockets.size();
    return supervise::Assignment{.spec = std::move(preparation.spec),
                                 .plan = std::move(preparation.plan),
                                 .stop_command = std::move(preparation.stop_command),
                                 .reload_command = std::move(preparation.reload_command),
                                 .ready_command = std::move(preparation.ready_command),
                                 .health_command = std::move(preparation.health_command),
                                 .hooks = std::move(preparation.hooks),
                                 .output = std::move(preparation.output),
                                 .fifos = {},
                                 .sockets = std::vector<supervise::HeldSocket>(sockets),
                                 .directory = {},
                                 .lease = {},
                                 .control = {},
                                 .mailbox = std::move(*mailbox),
                                 .notify = {},
                                 .boot = std::move(*boot),
                                 .cgroup_name = std::move(preparation.cgroup_name),
                                 .pid_file = std::move(preparation.pid_file),
                                 .owner = preparation.pid_file_owner,
                                 .service_file = std::move(preparation.service_file),
                                 .file_digest = preparation.file_digest};
}

Result<supervise::Assignment> assign_without_record(Preparation preparation, const OfferedSockets& offered)
{
    auto assignment = assignment_of(std::move(preparation));
    if (!assignment) return assignment;
    if (assignment->spec.listens()) {
        if (auto listens = listen_without_record(*assignment); !listens) return fail(listens.error());
    }
    if (auto opened = open_all_sockets(*assignment, offered); !opened) return fail(opened.error());
    return assignment;
}

Result<supervise::Assignment> assign(Preparation preparation, record::ServiceDirectory directory, os::UniqueFd lease, Adopt adopt,
                                     const OfferedSockets& offered)
{
    if (auto place = record::check_pid_file_place(preparation.pid_file, preparation.pid_file_owner); !place) return fail(place.error());
    auto made = assignment_of(std::move(preparation));
    if (!made) return made;
    supervise::Assignment assignment = std::move(*made);
    assignment.directory = std::move(directory);
    assignment.lease = std::move(lease);
    assignment.adopt = adopt == Adopt::yes;
    if (assignment.spec.listens()) {
        auto socket = os::listen_to_notifications(assignment.directory->directory(), notify_name);
        if (!socket) return fail(socket.error());
        assignment.notify = std::move(*socket);
    }
    if (assignment.adopt) {
        // What it had open it may have open still; the rest is opened for its next launch.
        supervise::take_sockets(assignment, offered.descriptors, offered.files);
        return assignment;
    }
    if (auto opened = open_all_sockets(assignment, offered); !opened) return fail(opened.error());
    if (auto noted = note_start(assignment); !noted) {
        supervise::remove_socket_files(assignment);
        return fail(noted.error());
    }
    return assignment;
}

void note_failed_start(supervise::Assignment& assignment, const Error& error)
{
    if (!assignment.adopt) supervise::remove_socket_files(assignment);
    if (assignment.adopt || !assignment.directory) return;
    record::State state = supervise::initial_state(assignment);
    state.state = ServiceState::failed;
    state.reason = error.cause;
    static_cast<void>(assignment.directory->write_state(state));
}

}  // namespace steward::manager
