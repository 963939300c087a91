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
    if (form == Form::native) add_start_stop_daemon(values, request);
    return init_d_script(request, form == Form::native ? templates::openrc_plain : templates::openrc, values);
}

}  // namespace steward::init
