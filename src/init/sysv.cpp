// SysV init: an LSB script that calls steward, or one that needs nothing but start-stop-daemon.
#include "init/dependencies.hpp"
#include "init/launch.hpp"
#include "init/quote.hpp"
#include "init/script.hpp"
#include "init/templates.hpp"

namespace steward::init {

Rendered render_sysv(const Request& request, Form form)
{
    const ServiceSpec& spec = request.spec;
    Values values = common_values(request);
    values.words["PROVIDES"] = spec.name;
    LsbHeader header = lsb_dependencies(spec);
    values.words["REQUIRED_START"] = header.required;
    values.words["REQUIRED_STOP"] = header.required;
    values.blocks["HEADER"] = std::move(header.more);
    values.words["TITLE"] = spec.service.description.empty() ? spec.name : comment(spec.service.description);
    values.words["PIDFILE"] = shell_word(pid_file_of(request));
    values.words["PROGRAM"] = shell_word(spec.service.command.empty() ? "" : spec.service.command.front());
    values.words["RELOAD_SIGNAL"] = spec.reload.signal == 0 ? "" : signal_name(spec.reload.signal);
    values.words["RETRY"] = stop_schedule(spec);
    values.words["LAUNCH"] = shell_word(launch_text(request));
    Rendered rendered;
    rendered.files.push_back({.path = "/etc/init.d/" + spec.name,
                              .mode = 0755,
                              .text = fill(form == Form::native ? templates::sysv_plain : templates::sysv, values)});
    return rendered;
}

}  // namespace steward::init
