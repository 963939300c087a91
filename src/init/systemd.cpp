// systemd: a native unit whose ExecStart is the service's own command, or one that runs it under `steward run`.
#include <limits>

#include "init/dependencies.hpp"
#include "init/quote.hpp"
#include "init/script.hpp"
#include "init/sockets.hpp"
#include "init/templates.hpp"

namespace steward::init {

namespace {

std::string yes_no(bool value)
{
    return value ? "yes" : "no";
}

std::string span(Duration duration)
{
    const auto count = duration.count();
    if (count % 1'000'000 == 0) return std::to_string(count / 1'000'000) + "s";
    return count % 1'000 == 0 ? std::to_string(count / 1'000) + "ms" : std::to_string(count) + "us";
}

std::string command_line(const Argv& command)
{
    std::string line;
    for (const std::string& word : command) line += line.empty() ? systemd_program(word) : " " + systemd_argument(word);
    return line;
}

std::string joined(const std::vector<std::string>& words)
{
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
    return line;
}

std::string limit_text(const ResourceLimit& limit)
{
    const auto text = [](std::uint64_t value) {
        return value == std::numeric_limits<std::uint64_t>::max() ? "infinity" : std::to_string(value);
    };
    return limit.soft == limit.hard ? text(limit.soft) : text(limit.soft) + ":" + text(limit.hard);
}

std::string upper(std::string_view text)
{
    std::string result;
    for (const char c : text) result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return result;
}

const char* policy_text(RestartPolicyKind policy)
{
    switch (policy) {
        case RestartPolicyKind::never: return "no";
        case RestartPolicyKind::on_success: return "on-success";
        case RestartPolicyKind::on_failure: return "on-failure";
        case RestartPolicyKind::on_abnormal: return "on-abnormal";
        case RestartPolicyKind::always: return "always";
    }
    return "";
}

const char* mode_text(StopMode mode)
{
    switch (mode) {
        case StopMode::group: return "control-group";
        case StopMode::mixed: return "mixed";
        case StopMode::main: return "process";
    }
    return "";
}

// The lines of [Service] that written keys ask for, in the order of steward.toml(5).
class ServiceLines {
  public:
    explicit ServiceLines(const Request& request) : request_(request), spec_(request.spec) {}

    Lines take()
    {
        process();
        directories();
        stop_and_reload();
        restart();
        log();
        limits();
        security();
        return std::move(lines_);
    }

  private:
    void add(const std::string& setting, const std::string& value) { lines_.push_back(setting + "=" + value); }
    [[nodiscard]] bool writes(std::string_view key) const { return request_.writes(key); }

    void process()
    {
        const auto& service = spec_.service;
        if (writes("service.working-directory")) add("WorkingDirectory", systemd_line(service.working_directory));
        if (writes("service.root-directory")) add("RootDirectory", systemd_line(service.root_directory));
        if (writes("service.user")) add("User", systemd_line(service.user));
        if (writes("service.group")) add("Group", systemd_line(service.group));
        if (writes("service.supplementary-groups")) add("SupplementaryGroups", joined(service.supplementary_groups));
        if (writes("service.umask")) add("UMask", octal(service.umask));
        for (const auto& [name, value] : service.environment) {
            if (is_systemd_variable(name, value)) add("Environment", systemd_item(name + "=" + value));
        }
        for (const EnvironmentFile& file : service.environment_files)
            add("EnvironmentFile", (file.optional ? "-" : "") + systemd_line(file.path));
        if (service.inherit_environment == InheritEnvironment::listed && !service.inherited_variables.empty())
            add("PassEnvironment", joined(service.inherited_variables));
        if (writes("service.pid-file")) pid_file();
        if (spec_.listens()) add("NotifyAccess", "all");
        if (spec_.health.watchdog) add("WatchdogSec", span(spec_.health.interval));
        if (writes("ready.timeout")) add("TimeoutStartSec", span(*spec_.ready.timeout));
    }

    // systemd removes the file and reads it, but does not write it, nor does a program that stays. It is made anew, so that a link that somebody put there is not followed.
    void pid_file()
    {
        add("PIDFile", systemd_line(spec_.service.pid_file));
        if (spec_.service.type == ServiceType::forking) return;
        const Argv writer{"/bin/sh", "-c", R"(rm -f -- "$1" && set -C && printf "%s\n" "$2" >"$1")", "sh", spec_.service.pid_file};
        add("ExecStartPost", "+" + command_line(writer) + " ${MAINPID}");
    }

    void directories()
    {
        const auto& made = spec_.directories;
        const auto one = [&](const char* setting, const std::vector<std::string>& names) {
            if (names.empty()) return;
            add(setting, joined(names));
            if (writes("directories.mode")) add(std::string(setting) + "Mode", octal(made.mode));
        };
        one("RuntimeDirectory", made.runtime);
        one("StateDirectory", made.state);
        one("CacheDirectory", made.cache);
        one("LogsDirectory", made.logs);
        one("ConfigurationDirectory", made.configuration);
    }

    void stop_and_reload()
    {
        if (writes("stop.signal")) add("KillSignal", "SIG" + signal_name(spec_.stop.signal));
        if (writes("stop.timeout")) add("TimeoutStopSec", span(spec_.stop.timeout));
        if (writes("stop.mode")) add("KillMode", mode_text(spec_.stop.mode));
        if (spec_.reload.signal != 0) add("ExecReload", "/bin/kill -" + signal_name(spec_.reload.signal) + " $MAINPID");
        if (!spec_.reload.command.empty()) add("ExecReload", command_line(spec_.reload.command));
    }

    void restart()
    {
        add("Restart", policy_text(spec_.restart.policy));
        if (writes("restart.delay")) add("RestartSec", span(spec_.restart.delay));
        std::string codes;
        for (const int code : spec_.restart.success_exit_codes) codes += (codes.empty() ? "" : " ") + std::to_string(code);
        if (!codes.empty()) add("SuccessExitStatus", codes);
    }

    void log()
    {
        const auto& log = spec_.log;
        if (log.output == LogOutput::null || log.output == LogOutput::journal) {
            const char* output = log.output == LogOutput::null ? "null" : "journal";
            add("StandardOutput", output);
            add("StandardError", output);
        }
        if (!log.file.empty()) add("StandardOutput", "append:" + systemd_line(log.file));
        if (!log.stderr_file.empty()) add("StandardError", "append:" + systemd_line(log.stderr_file));
    }

    void limits()
    {
        for (const auto& [name, limit] : spec_.limits) add("Limit" + upper(name), limit_text(limit));
        const auto& resources = spec_.resources;
        if (resources.memory) add("MemoryMax", std::to_string(*resources.memory));
        if (resources.cpu) add("CPUQuota", std::to_string(*resources.cpu) + "%");
        if (resources.tasks) add("TasksMax", std::to_string(*resources.tasks));
        if (resources.nice) add("Nice", std::to_string(*resources.nice));
        if (resources.oom_score_adjust) add("OOMScoreAdjust", std::to_string(*resources.oom_score_adjust));
        std::string cpus;
        for (const unsigned cpu : resources.cpu_affinity) cpus += (cpus.empty() ? "" : " ") + std::to_string(cpu);
        if (!cpus.empty()) add("CPUAffinity", cpus);
    }

    void security()
    {
        const auto names = [](const std::vector<std::string>& capabilities) { return upper(joined(capabilities)); };
        if (writes("security.no-new-privileges")) add("NoNewPrivileges", yes_no(spec_.security.no_new_privileges));
        if (spec_.security.capabilities) add("CapabilityBoundingSet", names(*spec_.security.capabilities));
        if (!spec_.security.ambient_capabilities.empty()) add("AmbientCapabilities", names(spec_.security.ambient_capabilities));
    }

    const Request& request_;
    const ServiceSpec& spec_;
    Lines lines_;
};

// [systemd.*] of the service file, word for word, behind what steward says itself.
void pass_on(const ServiceSpec::Systemd::Settings& settings, Lines& lines)
{
    for (const auto& [name, values] : settings) {
        for (const std::string& value : values) lines.push_back(name + "=" + value);
    }
}

// Where the service file says itself who wants the unit, steward does not.
Lines install_lines(const Request& request)
{
    const auto& settings = request.spec.systemd.install;
    Lines lines;
    if (!settings.contains("WantedBy") && !settings.contains("RequiredBy"))
        lines.push_back(std::string("WantedBy=") + (request.scope == Scope::user ? "default.target" : "multi-user.target"));
    pass_on(settings, lines);
    return lines;
}

Lines unit_lines(const Request& request)
{
    const auto& service = request.spec.service;
    const bool keeps = is_systemd_line(service.description);
    Lines lines{"Description=" + (keeps ? systemd_line(service.description) : request.spec.name)};
    if (!service.documentation.empty()) lines.push_back("Documentation=" + joined(service.documentation));
    for (std::string& line : systemd_dependencies(request)) lines.push_back(std::move(line));
    return lines;
}

const char* native_type(ServiceType type)
{
    switch (type) {
        case ServiceType::simple: return "exec";
        case ServiceType::forking: return "forking";
        case ServiceType::oneshot: return "oneshot";
    }
    return "";
}

// Of `steward run`, which says that it is ready when the service is, and keeps to the limit itself.
std::string start_timeout(const ServiceSpec& spec)
{
    const auto limit = spec.start_limit();
    return limit ? span(*limit + spec.hooks.of_start() + std::chrono::seconds(10)) : "infinity";
}

std::string own_command(const ServiceSpec& spec)
{
    const std::string options = spec.service.options_variable.empty() ? "" : " $" + spec.service.options_variable;
    return command_line(spec.service.command) + options;
}

}  // namespace

Rendered render_systemd(const Request& request, Form form)
{
    const bool user = request.scope == Scope::user;
    Values values = common_values(request);
    values.blocks["UNIT"] = unit_lines(request);
    pass_on(request.spec.systemd.unit, values.blocks["UNIT"]);
    values.blocks["INSTALL"] = install_lines(request);
    if (form == Form::native) {
        values.words["TYPE"] = request.spec.ready.notify ? "notify" : native_type(request.spec.service.type);
        values.words["COMMAND"] = own_command(request.spec);
        values.blocks["SERVICE"] = ServiceLines(request).take();
    } else {
        values.words["STEWARD"] = systemd_program(request.steward);
        values.words["SCOPE"] = user ? "--user" : "--system";
        values.words["START_TIMEOUT"] = start_timeout(request.spec);
        values.words["STOP_TIMEOUT"] = span(request.spec.stop.timeout + request.spec.hooks.of_end() + std::chrono::seconds(10));
    }
    const bool listens = has_socket_unit(request.spec);
    if (listens) {
        const std::string unit = request.spec.name + ".socket";
        values.blocks["UNIT"].push_back("Requires=" + unit);
        values.blocks["UNIT"].push_back("After=" + unit);
        values.blocks["SERVICE"].push_back("Sockets=" + unit);
        values.blocks["SOCKET"] = socket_lines(request);
    }
    pass_on(request.spec.systemd.service, values.blocks["SERVICE"]);
    const std::string directory = user ? "/usr/lib/systemd/user/" : "/usr/lib/systemd/system/";
    Rendered rendered;
    rendered.files.push_back({.path = directory + request.spec.name + ".service",
                              .mode = 0644,
                              .text = fill(form == Form::native ? templates::native_service : templates::steward_service, values)});
    if (listens) {
        rendered.files.push_back(
            {.path = directory + request.spec.name + ".socket", .mode = 0644, .text = fill(templates::service_socket, values)});
    }
    return rendered;
}

}  // namespace steward::init
