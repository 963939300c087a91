// What the Controls have in common: a tool run for a service, and its refusal as an Error. For src/init only.
#pragma once

#include <string>
#include <vector>

#include "init/control.hpp"

namespace steward::init {

// The lines that a tool said.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& output);
[[nodiscard]] std::string first_line(const std::string& output);

// Runs it; an exit code other than 0 is an error "cannot OPERATION NAME: TOOL says …".
Result<void> do_with(const RunTool& run, const Argv& command, const char* operation, const std::string& name);

// Whether `directory` (/etc/rc2.d) holds the service's link of this kind, whatever its number: S01web, K01web.
[[nodiscard]] bool has_numbered_link(const std::string& directory, char kind, const std::string& name);

[[nodiscard]] bool is_script(const std::string& path);  // a regular file

std::unique_ptr<Control> make_systemd_control(Scope scope, RunTool run);
std::unique_ptr<Control> make_sysv_control(RunTool run);
std::unique_ptr<Control> make_openrc_control(RunTool run);
std::unique_ptr<Control> make_runit_control(RunTool run);

}  // namespace steward::init
