// The commands, a function each, which asks the manager, tells the console and returns the exit code.
#pragma once

#include "cli/commands/command.hpp"

namespace steward::cli {

// act.cpp: what changes the state of services.
[[nodiscard]] int run_services(Command& command);
// With what belongs to the services: in the order of their dependencies, not of the operands.
[[nodiscard]] int start_or_stop(Command& command);
// The other deeds, each on one service after the other.
[[nodiscard]] int do_deeds(Command& command);

// look.cpp: what only looks.
[[nodiscard]] int tell_status(Command& command);
// Bare `status`: all in a table, and in full what is in trouble.
[[nodiscard]] int tell_overview(Command& command);
[[nodiscard]] int tell_list(Command& command);
// The named services, or all, with what they require and want.
[[nodiscard]] int tell_tree(Command& command);
[[nodiscard]] int tell_logs(Command& command);

// files.cpp: what reads service files and makes others of them.
[[nodiscard]] int show(Command& command);
[[nodiscard]] int check(Command& command);
[[nodiscard]] int generate(Command& command);
// One set for all the services: a package has one.
[[nodiscard]] int write_package_scripts(Command& command);

// install.cpp: install, uninstall, enable, disable.
[[nodiscard]] int change_installation(Command& command);

// apply.cpp
[[nodiscard]] int apply(Command& command);

}  // namespace steward::cli
