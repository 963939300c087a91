// All that a supervisor needs to run one service, worked out before it is born: nothing is looked up or parsed afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <steward/service_spec.hpp>

#include "os/cgroup.hpp"
#include "os/fd.hpp"
#include "os/listener.hpp"
#include "os/process.hpp"
#include "process/launch_plan.hpp"
#include "record/record.hpp"
#include "supervise/hook.hpp"

namespace steward::supervise {

// Where the program's output goes: to the log files, to a logging daemon, nowhere, or wherever steward's own goes.
struct OutputTarget {
    enum class Kind { file, journal, syslog, null, inherit };
    Kind kind = Kind::null;
    std::string log_file;     // with file
    std::string stderr_file;  // empty: with stdout
    bool system_scope = true;
    std::string socket = {};  // with journal and syslog: the daemon's

    // Lines, each by itself.
    [[nodiscard]] bool is_sent() const { return kind == Kind::journal || kind == Kind::syslog; }
    // Through a FIFO, and steward's hands.
    [[nodiscard]] bool is_taken() const { return kind == Kind::file || is_sent(); }
    // Through another one.
    [[nodiscard]] bool tells_errors_apart() const { return is_sent() || (kind == Kind::file && !stderr_file.empty()); }
};

// What the program writes into, by stream: FIFOs, for reading and writing, that the keeper holds too, so that what is in them outlives the
// program and its supervisor. Unset: not made yet, or not needed.
struct OutputFifos {
    os::UniqueFd out;
    os::UniqueFd err;  // where errors are told apart
};

// One of the service's sockets. `file` is set for a Unix socket that goes with the service.
struct HeldSocket {
    os::UniqueFd socket;
    std::optional<os::SocketFile> file;
};

struct Assignment {
    ServiceSpec spec;
    process::LaunchPlan plan;
    process::OptionalPlan stop_command;
    process::OptionalPlan reload_command;
    process::OptionalPlan ready_command;
    process::OptionalPlan health_command;
    HookPlans hooks;
    OutputTarget output;
    OutputFifos fifos;
    std::vector<HeldSocket> sockets;  // as in the spec; one that could not be taken over is opened before the next launch
    // Unset for a `run` where nothing can be written: it does without record, lease, control socket and, unless it is asked for, PID file.
    std::optional<record::ServiceDirectory> directory;
    os::UniqueFd lease;    // byte 0 locked; every holder's copy keeps it
    os::UniqueFd control;  // listens
    os::UniqueFd mailbox;  // with [ready] fd: what the program says there waits here, whoever dies
    os::UniqueFd notify;   // with ServiceSpec::listens(): what the program says of itself comes here
    os::BootIdentity boot;
    std::string cgroup_name;
    std::string pid_file;     // empty: none
    std::uint32_t owner = 0;  // of the PID file: steward's user, or with type = forking the program's
    std::string service_file;
    std::uint64_t file_digest = 0;
    bool adopt = false;          // carry on from the record instead of launching
    bool released = false;       // it is over, and lease and socket are given up: whoever runs it now, it is not this assignment
    bool by_policy = false;      // from the first start on: nobody waits for that, and so it cannot fail but by the restart policy
    bool report_launch = false;  // who waits for the first start is told when the program is executed, and not when it is up
};

// What the record says from before the first launch on.
[[nodiscard]] record::State initial_state(const Assignment& assignment);

}  // namespace steward::supervise
