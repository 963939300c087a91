// OpenRC: a script whose functions call steward, or one that only sets the variables of OpenRC's own functions.
#include "init/dependencies.hpp"
#include "init/quote.hpp"
#include "init/script.hpp"
#include "init/templates.hpp"

namespace steward::init {

namespace {

// OpenRC hands these variables to `eval` when it starts the service, so they hold shell words, themselves quoted.
std::string evaluated(const Argv& words)
{
    return shell_word(shell_words(words));
}

Lines settings(const Request& request)
{
    const ServiceSpec& spec = request.spec;
    Lines lines;
    const auto add = [&](const std::string& name, const std::string& value) { lines.push_back(name + "=" + value); };
    const auto& service = spec.service;
    if (!service.user.empty() || !service.group.empty()) {
        const std::string user = service.user.empty() ? "root" : service.user;
        add("command_user", shell_word(service.group.empty() ? user : user + ":" + service.group));
    }
    add("directory", evaluated({service.working_directory}));
    add("umask", octal(service.umask));
    if (spec.log.output == LogOutput::null) {
        add("output_log", "/dev/null");
        add("error_log", "/dev/null");
    }
    if (!spec.log.file.empty()) {
        add("output_log", evaluated({spec.log.file}));
        add("error_log", evaluated({spec.log.stderr_file.empty() ? spec.log.file : spec.log.stderr_file}));
    } else if (!spec.log.stderr_file.empty()) {
        add("error_log", evaluated({spec.log.stderr_file}));
    }
    Argv arguments;
    if (spec.resources.nice) arguments.insert(arguments.end(), {"--nicelevel", std::to_string(*spec.resources.nice)});
    for (const auto& [name, value] : service.environment) arguments.insert(arguments.end(), {"--env", name + "=" + value});
    if (!arguments.empty()) add("start_stop_daemon_args", evaluated(arguments));
    return lines;
}

}  // namespace

Rendered render_openrc(const Request& request, Form form)
{
    const ServiceSpec& spec = request.spec;
    Values values = common_values(request);
    values.words["DESCRIPTION"] = shell_word(spec.service.description.empty() ? spec.name : spec.service.description);
    values.blocks["DEPEND"] = openrc_dependencies(spec);
    if (form == Form::native) {
        const Argv& command = spec.service.command;
        values.words["COMMAND"] = shell_word(command.empty() ? "" : command.front());
        values.words["ARGUMENTS"] = evaluated(command.empty() ? Argv{} : Argv(command.begin() + 1, command.end()));
        values.words["PIDFILE"] = shell_word(pid_file_of(request));
        values.words["RETRY"] = stop_schedule(spec);
        values.words["RELOAD_SIGNAL"] = spec.reload.signal == 0 ? "" : signal_name(spec.reload.signal);
        values.blocks["SETTINGS"] = settings(request);
    }
    Rendered rendered;
    rendered.files.push_back({.path = "/etc/init.d/" + spec.name,
                              .mode = 0755,
                              .text = fill(form == Form::native ? templates::openrc_plain : templates::openrc, values)});
    return rendered;
}

}  // namespace steward::init
