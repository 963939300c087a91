// dinit: a service description, and without steward a script, for only a shell's quoting is the same in every version of dinit.
#include "init/dependencies.hpp"
#include "init/launch.hpp"
#include "init/quote.hpp"
#include "init/script.hpp"
#include "init/templates.hpp"

namespace steward::init {

namespace {

Lines settings(const Request& request)
{
    const ServiceSpec& spec = request.spec;
    Lines lines{std::string("restart = ") + (spec.restart.policy == RestartPolicyKind::never ? "no" : "yes"),
                "term-signal = " + signal_name(spec.stop.signal), "stop-timeout = " + std::to_string(whole_seconds(spec.stop.timeout))};
    if (spec.ready.fd != 0) lines.push_back("ready-notification = pipefd:" + std::to_string(spec.ready.fd));
    return lines;
}

}  // namespace

Rendered render_dinit(const Request& request, Form form)
{
    const bool native = form == Form::native;
    const std::string& name = request.spec.name;
    Values values = common_values(request);
    values.words["RESTART"] = request.spec.restart.policy == RestartPolicyKind::never || request.writes("restart.limit") ? "no" : "yes";
    values.words["STOP_TIMEOUT"] = std::to_string(whole_seconds(request.spec.stop.timeout + request.spec.hooks.of_end()) + 10);
    values.blocks["DEPEND"] = dinit_dependencies(request.spec);
    Rendered rendered;
    if (native) {
        values.blocks["SETTINGS"] = settings(request);
        values.blocks["LAUNCH"] = launch_lines(request, PidFile::by_init_system);
    }
    rendered.files.push_back(
        {.path = "/etc/dinit.d/" + name, .mode = 0644, .text = fill(native ? templates::dinit_plain : templates::dinit, values)});
    if (native)
        rendered.files.push_back({.path = "/etc/dinit.d/scripts/" + name, .mode = 0755, .text = fill(templates::dinit_script, values)});
    return rendered;
}

}  // namespace steward::init
