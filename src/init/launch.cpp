#include "init/launch.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "init/quote.hpp"
#include "init/script.hpp"

namespace steward::init {

namespace {

std::string limit_text(std::uint64_t value)
{
    return value == std::numeric_limits<std::uint64_t>::max() ? "unlimited" : std::to_string(value);
}

Lines output_lines(const Request& request)
{
    const auto& log = request.spec.log;
    if (log.output == LogOutput::null) return {"exec >/dev/null 2>&1"};
    Lines lines;
    // A log is not for everybody to read.
    for (const std::string& file : {log.file, log.stderr_file}) {
        if (!file.empty()) lines.push_back("(umask 027 && : >>" + shell_word(file) + ") || exit 1");
    }
    if (!log.file.empty()) lines.push_back("exec >>" + shell_word(log.file) + " 2>&1");
    if (!log.stderr_file.empty()) lines.push_back("exec 2>>" + shell_word(log.stderr_file));
    return lines;
}

Argv scheduling(const ServiceSpec& spec)
{
    Argv words;
    const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
    if (spec.resources.nice) add({"nice", "-n", std::to_string(*spec.resources.nice)});
    if (spec.resources.oom_score_adjust) add({"choom", "-n", std::to_string(*spec.resources.oom_score_adjust), "--"});
    if (!spec.resources.cpu_affinity.empty()) {
        std::string list;
        for (const unsigned cpu : spec.resources.cpu_affinity) list += (list.empty() ? "" : ",") + std::to_string(cpu);
        add({"taskset", "-c", list});
    }
    if (!spec.limits.empty()) {
        add({"prlimit"});
        for (const auto& [name, limit] : spec.limits) add({"--" + name + "=" + limit_text(limit.soft) + ":" + limit_text(limit.hard)});
        add({"--"});
    }
    return words;
}

// Not quoted as a word: "$(id -g USER)" is the shell's to fill in.
std::string identity(const ServiceSpec& spec)
{
    const auto& service = spec.service;
    const bool changes_user = !service.user.empty() || !service.group.empty();
    if (!changes_user && !spec.security.no_new_privileges) return {};
    std::string words = "setpriv";
    if (spec.security.no_new_privileges) words += " --no-new-privs";
    if (!service.user.empty()) words += " --reuid=" + shell_word(service.user) + " --init-groups";
    if (!service.group.empty()) {
        words += " --regid=" + shell_word(service.group) + (service.user.empty() ? " --keep-groups" : "");
    } else if (!service.user.empty()) {
        words += " --regid=\"$(id -g " + shell_word(service.user) + ")\"";
    }
    return words + " --";
}

}  // namespace

Lines launch_lines(const Request& request, PidFile pid_file)
{
    const ServiceSpec& spec = request.spec;
    Lines lines = output_lines(request);
    if (pid_file == PidFile::by_script && !spec.service.pid_file.empty()) {
        // Made anew: a link that the service's user has put there is not followed.
        const std::string file = shell_word(spec.service.pid_file);
        lines.push_back("rm -f -- " + file + " && (set -C && printf '%s\\n' \"$$\" >" + file + ") || exit 1");
    }
    lines.push_back("umask " + octal(spec.service.umask));
    lines.push_back("cd " + shell_word(spec.service.working_directory) + " || exit 1");
    std::string words = "exec";
    const auto add = [&](const std::string& more) { words += more.empty() ? "" : " " + more; };
    add(shell_words(scheduling(spec)));
    add(identity(spec));
    // After the others, so that PATH and the like are the program's and not the tools'.
    if (!spec.service.environment.empty()) {
        add("env");
        for (const auto& [name, value] : spec.service.environment) add(shell_word(name + "=" + value));
    }
    add(shell_words(spec.service.command));
    lines.push_back(std::move(words));
    return lines;
}

void add_start_stop_daemon(Values& values, const Request& request)
{
    const ServiceSpec& spec = request.spec;
    values.words["PIDFILE"] = shell_word(spec.service.pid_file.empty() ? "/run/" + spec.name + ".pid" : spec.service.pid_file);
    values.words["RETRY"] =
        signal_name(spec.stop.signal) + "/" + std::to_string(std::max(1L, whole_seconds(spec.stop.timeout))) + "/KILL/5";
    values.words["RELOAD_SIGNAL"] = spec.reload.signal == 0 ? "" : signal_name(spec.reload.signal);
    std::string launch;
    for (const std::string& line : launch_lines(request, PidFile::by_init_system)) launch += (launch.empty() ? "" : "\n") + line;
    values.words["LAUNCH"] = shell_word(launch);
}

}  // namespace steward::init
