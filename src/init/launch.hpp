// The shell lines that become the program, for init systems whose own words say little: every step is an exec, so the PID stays.
#pragma once

#include "init/fill.hpp"
#include "init/render.hpp"

namespace steward::init {

// `writes_pid_file`: for init systems that keep none themselves.
enum class PidFile { by_init_system, by_script };
[[nodiscard]] Lines launch_lines(const Request& request, PidFile pid_file);
// For scripts that call start-stop-daemon (what dpkg's and OpenRC's both understand), which writes the PID file: PIDFILE, RETRY, RELOAD_SIGNAL,
// and the lines as one, for `sh -c`: LAUNCH.
void add_start_stop_daemon(Values& values, const Request& request);

}  // namespace steward::init
