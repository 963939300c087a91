#include "init/mapping.hpp"

#include <algorithm>
#include <csignal>

#include "init/dependencies.hpp"
#include "init/quote.hpp"
#include "init/sockets.hpp"

namespace steward::init {

namespace {

bool is_systemd(InitSystem system)
{
    return system == InitSystem::systemd;
}

bool is_plain_name(std::string_view name)
{
    return !name.empty() && name.front() != '-' && name.front() != '.' && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_-./").find(c) != std::string_view::npos;
    });
}

std::string unless(bool fits, const char* reason)
{
    return fits ? std::string() : std::string(reason);
}

std::string doubt_line(std::string_view text, InitSystem system)
{
    return unless(!is_systemd(system) || is_systemd_line(text), "begins or ends in a way that systemd would not keep");
}

std::string doubt_description(const ServiceSpec& spec, InitSystem system)
{
    return doubt_line(spec.service.description, system);
}

std::string doubt_documentation(const ServiceSpec& spec, InitSystem system)
{
    static constexpr std::array<std::string_view, 5> schemes{"http://", "https://", "file:/", "info:", "man:"};
    const auto is_known = [](const std::string& uri) {
        return uri.find_first_of(" \t\\\"'%") == std::string::npos &&
               std::ranges::any_of(schemes, [&](std::string_view scheme) { return uri.starts_with(scheme); });
    };
    return unless(!is_systemd(system) || std::ranges::all_of(spec.service.documentation, is_known),
                  "holds what is no http:, https:, file:, info: or man: address");
}

std::string doubt_type(const ServiceSpec& spec, InitSystem system)
{
    return unless(is_systemd(system) || spec.service.type == ServiceType::simple, "is more than the init system knows of steward's types");
}

std::string doubt_command(const ServiceSpec& spec, InitSystem system)
{
    const Argv& command = spec.service.command;
    if (command.empty()) return {};
    const std::string& program = command.front();
    if (is_systemd(system)) return unless(is_systemd_program(program), "names a program in a way that systemd refuses");
    return unless(program.find('=') == std::string::npos || spec.service.environment.empty(),
                  "names a program that env(1) takes for a variable");
}

std::string doubt_working_directory(const ServiceSpec& spec, InitSystem system)
{
    return doubt_line(spec.service.working_directory, system);
}

std::string doubt_root_directory(const ServiceSpec& spec, InitSystem system)
{
    return doubt_line(spec.service.root_directory, system);
}

std::string doubt_account(const std::string& name)
{
    return unless(is_plain_name(name) && name.find('.') == std::string::npos && name.find('/') == std::string::npos,
                  "is not what the init system takes for an account");
}

std::string doubt_user(const ServiceSpec& spec, InitSystem)
{
    return doubt_account(spec.service.user);
}

std::string doubt_group(const ServiceSpec& spec, InitSystem)
{
    return doubt_account(spec.service.group);
}

std::string doubt_groups(const ServiceSpec& spec, InitSystem)
{
    for (const std::string& group : spec.service.supplementary_groups) {
        if (std::string doubt = doubt_account(group); !doubt.empty()) return doubt;
    }
    return {};
}

std::string doubt_environment(const ServiceSpec& spec, InitSystem system)
{
    for (const auto& [name, value] : spec.service.environment) {
        if (is_systemd(system) && !is_systemd_variable(name, value))
            return "has a variable '" + comment(name) + "' that systemd would ignore";
    }
    return {};
}

std::string doubt_environment_files(const ServiceSpec& spec, InitSystem system)
{
    for (const EnvironmentFile& file : spec.service.environment_files) {
        if (std::string doubt = doubt_line(file.path, system); !doubt.empty()) return doubt;
        if (file.path.find_first_of("*?[\\") != std::string::npos) return "has a path that systemd takes for a pattern";
    }
    return {};
}

std::string doubt_inherited(const ServiceSpec& spec, InitSystem)
{
    return unless(
        std::ranges::all_of(spec.service.inherited_variables, [](const std::string& name) { return is_systemd_variable(name, ""); }),
        "names what no variable can be called");
}

std::string doubt_pid_file(const ServiceSpec& spec, InitSystem system)
{
    if (is_systemd(system) && spec.service.type == ServiceType::oneshot) return "is of a process that does not stay";
    if (is_systemd(system)) return doubt_line(spec.service.pid_file, system);
    return {};
}

std::string doubt_directories(const std::vector<std::string>& names)
{
    return unless(std::ranges::all_of(names, is_plain_name), "has a name with a character that means something to systemd");
}
std::string doubt_runtime(const ServiceSpec& spec, InitSystem)
{
    return doubt_directories(spec.directories.runtime);
}
std::string doubt_state(const ServiceSpec& spec, InitSystem)
{
    return doubt_directories(spec.directories.state);
}
std::string doubt_cache(const ServiceSpec& spec, InitSystem)
{
    return doubt_directories(spec.directories.cache);
}
std::string doubt_logs(const ServiceSpec& spec, InitSystem)
{
    return doubt_directories(spec.directories.logs);
}
std::string doubt_configuration(const ServiceSpec& spec, InitSystem)
{
    return doubt_directories(spec.directories.configuration);
}

std::string doubt_ready_timeout(const ServiceSpec& spec, InitSystem)
{
    return unless(spec.ready.is_default() || spec.ready.notify, "is that of a readiness which systemd does not know");
}

std::string doubt_notify(const ServiceSpec& spec, InitSystem)
{
    return unless(spec.service.type == ServiceType::simple, "is of a program that forks, for which systemd has no such type");
}

std::string doubt_interval(const ServiceSpec& spec, InitSystem)
{
    return unless(spec.health.watchdog, "is that of a question which systemd does not ask");
}

std::string doubt_stop_mode(const ServiceSpec& spec, InitSystem system)
{
    return unless(is_systemd(system) || spec.stop.mode == StopMode::main,
                  "is more than the main process, the only one that the init system knows");
}

std::string doubt_reload_signal(const ServiceSpec& spec, InitSystem system)
{
    static constexpr std::array by_sv{SIGHUP, SIGALRM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};
    return unless(system != InitSystem::runit || std::ranges::find(by_sv, spec.reload.signal) != by_sv.end(),
                  "is a signal that sv cannot send");
}

std::string doubt_policy(const ServiceSpec& spec, InitSystem system)
{
    const bool all = is_systemd(system) || system == InitSystem::runit || system == InitSystem::s6;
    const bool never = spec.restart.policy == RestartPolicyKind::never;
    const bool always = spec.restart.policy == RestartPolicyKind::always && system == InitSystem::dinit;
    return unless(all || never || always, "is more than the init system knows of restarting");
}

std::string doubt_output(const ServiceSpec& spec, InitSystem system)
{
    const auto& log = spec.log;
    if (log.output == LogOutput::file) return unless(!log.file.empty(), "leaves the file's name to steward");
    const bool is_own = log.output == LogOutput::journal && is_systemd(system);
    return unless(is_own || (log.output != LogOutput::syslog && log.output != LogOutput::journal), "is not the init system's own log");
}

// Init systems and scripts open logs as root and follow links, so the service's own user must not own the directory. Only of these is that
// known; `steward run` looks.
std::string doubt_log_path(const ServiceSpec& spec, const std::string& path, InitSystem system)
{
    static constexpr std::array<std::string_view, 2> directories_of_root{"/var/log", "/var/log/steward"};
    const auto& user = spec.service.user;
    const bool another = !user.empty() && user != "root" && user != "0";
    const auto directory = std::string_view(path).substr(0, path.rfind('/'));
    if (another && !path.empty() && std::ranges::find(directories_of_root, directory) == directories_of_root.end())
        return "is in a directory that may be the service's own: what root opens there could be a link";
    return doubt_line(path, system);
}

std::string doubt_log_file(const ServiceSpec& spec, InitSystem system)
{
    return doubt_log_path(spec, spec.log.file, system);
}

std::string doubt_stderr_file(const ServiceSpec& spec, InitSystem system)
{
    return doubt_log_path(spec, spec.log.stderr_file, system);
}

// What an init system appends to a file has no stamps; its own log has them by its own rules.
std::string doubt_timestamps(const ServiceSpec& spec, InitSystem)
{
    const auto& log = spec.log;
    const bool into_files = log.output == LogOutput::file || !log.file.empty() || !log.stderr_file.empty();
    return unless(log.timestamps == LogTimestamps::none || !into_files, "is more than the init system writes before a line");
}

// In the order of init_systems: systemd, sysv, openrc, runit, s6, dinit.
constexpr auto table = std::to_array<Mapping>({
    {"service", "description", "nnnnnn", "Description=", doubt_description},
    {"service", "documentation", "nnnnnn", "Documentation=; elsewhere a comment", doubt_documentation},
    {"service", "type", "nnnnnn", "Type=; elsewhere simple, and the others are steward's", doubt_type},
    {"service", "command", "nnnnnn", "ExecStart=", doubt_command},
    {"service", "options-variable", "nccccc", "a $WORD at the end of ExecStart="},
    {"service", "working-directory", "nnnnnn", "WorkingDirectory=", doubt_working_directory},
    {"service", "root-directory", "nccccc", "RootDirectory=", doubt_root_directory},
    {"service", "user", "nnnnnn", "User=", doubt_user},
    {"service", "group", "nnnnnn", "Group=", doubt_group},
    {"service", "supplementary-groups", "nccccc", "SupplementaryGroups=", doubt_groups},
    {"service", "umask", "nnnnnn", "UMask="},
    {"service", "environment", "nnnnnn", "Environment=", doubt_environment},
    {"service", "environment-files", "nccccc", "EnvironmentFile=", doubt_environment_files},
    {"service", "inherit-environment", "nccccc", "PassEnvironment=", doubt_inherited},
    {"service", "pid-file", "nnnnnc", "PIDFile=, and ExecStartPost= that writes it", doubt_pid_file},
    {"service", "supervise", "nnnnnn", "false: no steward process; under systemd, runit, s6 and dinit the native file"},

    {"directories", "runtime", "nccccc", "RuntimeDirectory=", doubt_runtime},
    {"directories", "state", "nccccc", "StateDirectory=", doubt_state},
    {"directories", "cache", "nccccc", "CacheDirectory=", doubt_cache},
    {"directories", "logs", "nccccc", "LogsDirectory=", doubt_logs},
    {"directories", "configuration", "nccccc", "ConfigurationDirectory=", doubt_configuration},
    {"directories", "mode", "nccccc", "RuntimeDirectoryMode= and its like"},

    {"hooks", "pre-start", "cccccc", ""},
    {"hooks", "post-start", "cccccc", ""},
    {"hooks", "pre-stop", "cccccc", ""},
    {"hooks", "post-stop", "cccccc", ""},
    {"hooks", "on-failure", "cccccc", ""},
    {"hooks", "on-give-up", "cccccc", ""},
    {"hooks", "timeout", "cccccc", ""},

    {"ready", "notify", "nccccc", "Type=notify", doubt_notify},
    {"ready", "fd", "ccccnn", "notification-fd of s6, ready-notification of dinit"},
    {"ready", "log", "cccccc", ""},
    {"ready", "tcp", "cccccc", ""},
    {"ready", "unix", "cccccc", ""},
    {"ready", "http", "cccccc", ""},
    {"ready", "file", "cccccc", ""},
    {"ready", "command", "cccccc", ""},
    {"ready", "delay", "cccccc", ""},
    {"ready", "timeout", "nccccc", "TimeoutStartSec=", doubt_ready_timeout},

    {"stop", "command", "cccccc", "no init system goes on with the signal only where the command fails"},
    {"stop", "signal", "nnncnn", "KillSignal="},
    {"stop", "timeout", "nnncnn", "TimeoutStopSec="},
    {"stop", "mode", "nnnnnc", "KillMode=", doubt_stop_mode},

    {"reload", "signal", "nnnnnn", "ExecReload=/bin/kill", doubt_reload_signal},
    {"reload", "command", "nccccc", "ExecReload="},
    {"reload", "overlap", "cccccc", ""},

    {"restart", "policy", "nnnnnn", "Restart=", doubt_policy},
    {"restart", "delay", "nccccc", "RestartSec="},
    {"restart", "factor", "cccccc", "RestartSteps= is newer than systemd 252"},
    {"restart", "max-delay", "cccccc", "RestartMaxDelaySec= is newer than systemd 252"},
    {"restart", "jitter", "cccccc", ""},
    {"restart", "window", "cccccc", ""},
    {"restart", "limit", "cccccc", "StartLimitBurst= counts the administrator's starts too"},
    {"restart", "success-exit-codes", "nccnnc", "SuccessExitStatus="},

    {"log", "output", "nnnnnn", "StandardOutput=", doubt_output},
    {"log", "file", "nnnnnn", "StandardOutput=append:", doubt_log_file},
    {"log", "stderr-file", "nnnnnc", "StandardError=append:", doubt_stderr_file},
    {"log", "timestamps", "nnnnnn", "none, or the stamps of the init system's own log", doubt_timestamps},
    {"log", "max-size", "cccccc", ""},
    {"log", "keep", "cccccc", ""},
    {"log", "max-total", "cccccc", ""},
    {"log", "compress", "cccccc", ""},
    {"log", "rate-limit", "cccccc", ""},

    {"health", "command", "cccccc", ""},
    {"health", "tcp", "cccccc", ""},
    {"health", "http", "cccccc", ""},
    {"health", "watchdog", "nccccc", "WatchdogSec=", doubt_notify},
    {"health", "interval", "nccccc", "WatchdogSec=", doubt_interval},
    {"health", "timeout", "cccccc", ""},
    {"health", "failures", "cccccc", ""},
    {"health", "grace", "cccccc", ""},

    {"limits", "as", "nnnnnn", "LimitAS="},
    {"limits", "core", "nnnnnn", "LimitCORE="},
    {"limits", "cpu", "nnnnnn", "LimitCPU="},
    {"limits", "data", "nnnnnn", "LimitDATA="},
    {"limits", "fsize", "nnnnnn", "LimitFSIZE="},
    {"limits", "locks", "nnnnnn", "LimitLOCKS="},
    {"limits", "memlock", "nnnnnn", "LimitMEMLOCK="},
    {"limits", "msgqueue", "nnnnnn", "LimitMSGQUEUE="},
    {"limits", "nice", "nnnnnn", "LimitNICE="},
    {"limits", "nofile", "nnnnnn", "LimitNOFILE="},
    {"limits", "nproc", "nnnnnn", "LimitNPROC="},
    {"limits", "rss", "nnnnnn", "LimitRSS="},
    {"limits", "rtprio", "nnnnnn", "LimitRTPRIO="},
    {"limits", "rttime", "nnnnnn", "LimitRTTIME="},
    {"limits", "sigpending", "nnnnnn", "LimitSIGPENDING="},
    {"limits", "stack", "nnnnnn", "LimitSTACK="},

    {"resources", "memory", "nccccc", "MemoryMax="},
    {"resources", "cpu", "nccccc", "CPUQuota="},
    {"resources", "tasks", "nccccc", "TasksMax="},
    {"resources", "nice", "nnnnnn", "Nice="},
    {"resources", "oom-score-adjust", "nnnnnn", "OOMScoreAdjust="},
    {"resources", "cpu-affinity", "nnnnnn", "CPUAffinity="},

    {"security", "no-new-privileges", "nnnnnn", "NoNewPrivileges="},
    {"security", "capabilities", "nccccc", "CapabilityBoundingSet="},
    {"security", "ambient-capabilities", "nccccc", "AmbientCapabilities="},

    {"socket", "name", "nccccc", "FileDescriptorName= of a socket unit", doubt_socket_name},
    {"socket", "listen", "nccccc", "ListenStream=, ListenDatagram=", doubt_listen},
    {"socket", "backlog", "nccccc", "Backlog=", doubt_backlog},
    {"socket", "mode", "nccccc", "SocketMode=", doubt_socket_mode},

    {"dependencies", "requires", "nnnlln", "Requires=, After=", doubt_requires, Expression::lost},
    {"dependencies", "wants", "nnnlln", "Wants=, After=", doubt_wants, Expression::lost},
    {"dependencies", "after", "nnnlll", "After="},
    {"dependencies", "before", "nnnlll", "Before="},

    {"install", "enable", "nnnnnn", ""},
    {"install", "supervisor", "nnnnnn", "init: the native file; steward: the one that calls steward"},

    {"systemd.Unit", "*", "nlllll", "word for word"},
    {"systemd.Service", "*", "nlllll", "word for word"},
    {"systemd.Install", "*", "nlllll", "word for word"},
});

}  // namespace

std::span<const Mapping> mappings()
{
    return table;
}

const Mapping* find_mapping(std::string_view path)
{
    // Sockets are numbered.
    constexpr std::string_view sockets = "socket.";
    if (path.starts_with(sockets)) {
        const std::string_view key = path.substr(path.rfind('.') + 1);
        const auto* const found =
            std::ranges::find_if(table, [&](const Mapping& mapping) { return mapping.table == "socket" && mapping.name == key; });
        return found == table.end() ? nullptr : &*found;
    }
    for (const Mapping& mapping : table) {
        if (!path.starts_with(mapping.table) || path.size() <= mapping.table.size() || path[mapping.table.size()] != '.') continue;
        const std::string_view name = path.substr(mapping.table.size() + 1);
        if (mapping.name == "*" || name == mapping.name || (name.starts_with(mapping.name) && name[mapping.name.size()] == '.'))
            return &mapping;
    }
    return nullptr;
}

Expression base_expression(const Mapping& mapping, InitSystem system)
{
    switch (mapping.how[static_cast<std::size_t>(system)]) {
        case 'n': return Expression::native;
        case 'c': return Expression::carried;
        default: return Expression::lost;
    }
}

}  // namespace steward::init
