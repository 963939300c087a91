// runit: a service directory with run, finish, what runsv asks before it sends TERM, and a log service.
#include "init/launch.hpp"
#include "init/quote.hpp"
#include "init/script.hpp"
#include "init/templates.hpp"

namespace steward::init {

Rendered render_runit(const Request& request, Form form)
{
    const bool native = form == Form::native;
    Values values = common_values(request);
    if (native) {
        const Ends when = ends(request);
        values.blocks["LAUNCH"] = launch_lines(request, PidFile::by_script);
        values.blocks["ENDS"] = when.branches;
        values.words["OTHERWISE"] = when.otherwise;
        const std::string& pid_file = request.spec.service.pid_file;
        if (!pid_file.empty()) values.blocks["FINISH"] = {"rm -f -- " + shell_word(pid_file)};
    }
    const std::string directory = "/etc/sv/" + request.spec.name;
    Rendered rendered;
    const auto add = [&](const std::string& name, std::string_view text) {
        rendered.files.push_back({.path = directory + "/" + name, .mode = 0755, .text = fill(text, values)});
    };
    add("run", native ? templates::runit_plain_run : templates::runit_run);
    add("finish", native ? templates::runit_plain_finish : templates::runit_finish);
    add("control/t", templates::runit_control_t);
    add("log/run", templates::runit_log);
    return rendered;
}

}  // namespace steward::init
