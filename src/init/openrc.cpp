// OpenRC: a script whose functions call steward, or one whose functions call start-stop-daemon.
#include "init/dependencies.hpp"
#include "init/launch.hpp"
#include "init/quote.hpp"
#include "init/script.hpp"
#include "init/templates.hpp"

namespace steward::init {

Rendered render_openrc(const Request& request, Form form)
{
    const ServiceSpec& spec = request.spec;
    Values values = common_values(request);
    values.words["DESCRIPTION"] = shell_word(spec.service.description.empty() ? spec.name : spec.service.description);
    values.blocks["DEPEND"] = openrc_dependencies(spec);
    if (form == Form::native) {
        values.words["PIDFILE"] = shell_word(pid_file_of(request));
        values.words["RETRY"] = stop_schedule(spec);
        values.words["RELOAD_SIGNAL"] = spec.reload.signal == 0 ? "" : signal_name(spec.reload.signal);
        values.words["LAUNCH"] = shell_word(launch_text(request));
    }
    Rendered rendered;
    rendered.files.push_back({.path = "/etc/init.d/" + spec.name,
                              .mode = 0755,
                              .text = fill(form == Form::native ? templates::openrc_plain : templates::openrc, values)});
    return rendered;
}

}  // namespace steward::init
