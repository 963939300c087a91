// The small process above a supervisor: it holds what must not be lost, and decides nothing.
//
//   caller ──daemonize──▶ keeper ──fork──▶ supervisor ──▶ main process
//
// It is a subreaper, so every process of the service falls to it at last; it reaps them and hands their exit statuses on. It holds the
// lease and the listening control socket, so both outlive any supervisor. When a supervisor dies, it starts the next, which adopts from
// the record. A supervisor that exits 0 has nothing more to do, and the keeper goes with it. TERM, INT, QUIT, HUP, USR1 and USR2 go on to
// the supervisor. After its start it allocates nothing, and it waits for nothing but signals.
//
// If the keeper itself is killed, its supervisor notices (the notice socket closes), becomes the keeper in its place, as the parent that the
// main process already has, and starts a new supervisor: the pair is whole again and the service noticed nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "log/event_log.hpp"
#include "os/fd.hpp"
#include "os/process.hpp"
#include "supervise/assignment.hpp"
#include "supervise/turns.hpp"

namespace steward::supervise {

struct KeeperOptions {
    os::UniqueFd start_report;  // for the first supervisor
    std::string event_log;
    log::EventLog::Sink sink = log::EventLog::Sink::file_and_syslog;
    os::Pipe notices = {};                            // of the keeper before this one, in the same process; none: it makes its own
    std::vector<std::vector<Precedence>> order = {};  // for each assignment whom it waits for; empty: nobody waits
    std::string notify_socket = {};                   // see Supervisor::Options
};

// Runs until the service is over; the value is the process's exit code. `assignment` is lent. Never returns in a process other than
// the one that called it.
int keep(Assignment& assignment, KeeperOptions options) noexcept;

// The same, of a process that was the keeper already and has executed the installed program (successor.hpp).
int keep_on(Assignment& assignment, KeeperOptions options) noexcept;

// As PID 1 of a container, which has no other supervisor to be killed for: keeps any number of services, each with a record. Runs until all
// are over; how the only one ended by itself, if it did. A stop that was asked for by a signal is asked of the next supervisor too.
Result<std::optional<ExitStatus>> keep_all(const std::vector<Assignment*>& assignments, KeeperOptions options) noexcept;

}  // namespace steward::supervise
