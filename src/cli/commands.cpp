#include "cli/commands.hpp"

#include "cli/commands/by_verb.hpp"

namespace steward::cli {

int carry_out(const Arguments& arguments, Manager& manager, Console& console, TimePoint now)
{
    Command command(arguments, manager, console, now);
    switch (arguments.verb->id) {
        case VerbId::run: return run_services(command);
        case VerbId::start:
        case VerbId::stop: return start_or_stop(command);
        case VerbId::status: return arguments.operands.empty() ? tell_overview(command) : tell_status(command);
        case VerbId::logs: return arguments.rotate || arguments.reopen ? do_deeds(command) : tell_logs(command);
        case VerbId::list: return arguments.tree ? tell_tree(command) : tell_list(command);
        case VerbId::show: return show(command);
        case VerbId::check: return check(command);
        case VerbId::generate: return arguments.scripts ? write_package_scripts(command) : generate(command);
        case VerbId::install:
        case VerbId::uninstall:
        case VerbId::enable:
        case VerbId::disable: return change_installation(command);
        case VerbId::apply: return apply(command);
        default: return do_deeds(command);
    }
}

}  // namespace steward::cli
