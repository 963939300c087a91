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
    values.words["PROGRAM"] = shell_word(spec.service.command.empty() ? "" : spec.service.command.front());
    if (form == Form::native) add_start_stop_daemon(values, request);
    return init_d_script(request, form == Form::native ? templates::sysv_plain : templates::sysv, values);
}

}  // namespace steward::init
