// s6: a service directory with run and finish, and the files that say how s6-svc ends it.
#include "init/launch.hpp"
#include "init/quote.hpp"
#include "init/script.hpp"
#include "init/templates.hpp"

namespace steward::init {

Rendered render_s6(const Request& request, Form form)
{
    const bool native = form == Form::native;
    const ServiceSpec& spec = request.spec;
    Values values = common_values(request);
    if (native) {
        const Ends when = ends(request);
        values.blocks["LAUNCH"] = launch_lines(request, PidFile::by_script);
        values.blocks["ENDS"] = when.branches;
        values.words["OTHERWISE"] = when.otherwise;
        if (!spec.service.pid_file.empty()) values.blocks["FINISH"] = {"rm -f -- " + shell_word(spec.service.pid_file)};
    }
    const std::string directory = "/etc/s6/sv/" + spec.name;
    Rendered rendered;
    const auto add = [&](const std::string& name, unsigned mode, const std::string& text) {
        rendered.files.push_back({.path = directory + "/" + name, .mode = mode, .text = text});
    };
    add("run", 0755, fill(native ? templates::s6_plain_run : templates::s6_run, values));
    add("finish", 0755, fill(native ? templates::s6_plain_finish : templates::s6_finish, values));
    // steward is stopped by TERM, and ends the service as its file says.
    if (native) add("down-signal", 0644, std::to_string(spec.stop.signal) + "\n");
    if (native && spec.ready.fd != 0) add("notification-fd", 0644, std::to_string(spec.ready.fd) + "\n");
    const Duration patience = spec.stop.timeout + (native ? Duration(0) : spec.hooks.of_end() + std::chrono::seconds(10));
    add("timeout-kill", 0644, std::to_string(std::chrono::ceil<std::chrono::milliseconds>(patience).count()) + "\n");
    return rendered;
}

}  // namespace steward::init
