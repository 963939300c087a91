// What is true of a service now: the lease, the record, the main process and the PID file, weighed against each other.
//
// The lease held: somebody supervises it, and the record is true. The lease free: what the record says is verified, process by
// identity; what does not match is a dead service, never a target. The PID file is heard only when the record proves nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <steward/result.hpp>

#include "manager/located.hpp"
#include "os/process.hpp"
#include "record/pid_file.hpp"
#include "record/record.hpp"

namespace steward::manager {

struct Judgement {
    enum class Verdict {
        supervised,  // the lease is held
        alone,       // its main process lives, and no steward process is above it (supervise = false, or both were killed)
        launching,   // a start is under way, and nobody supervises it yet
        dead,        // record or PID file says running, and nothing of it lives
        stopped,     // nothing claims that it runs
        refused,     // the PID file is not to be believed
        undeterminable,
    };
    Verdict verdict = Verdict::stopped;
    std::optional<record::State> state;
    bool same_boot = false;              // the record's processes and cgroup can be told by their names
    std::optional<os::ProcessRef> main;  // alive
    bool pid_file_exists = false;
    std::string pid_file;
    std::uint32_t pid_file_owner = 0;  // who beside root may have written it
    std::string reason;                // on dead, refused, undeterminable
    std::string next_step;             // on refused, undeterminable; may be empty
};

// Whose hands the lease is in: `ours` when the caller has taken it, so that nobody else can have it.
enum class Lease { look, ours };

// Where the service file wants the PID file, empty for the default, and who beside root may have written it. Asked only where the record
// does not say.
struct ExpectedPidFile {
    std::string path;
    std::uint32_t owner = 0;
};
using PidFileOfSpec = std::function<ExpectedPidFile()>;
[[nodiscard]] ExpectedPidFile expected_pid_file(const ServiceSpec& spec);

// Changes nothing.
Result<Judgement> judge(const Located& located, const PidFileOfSpec& pid_file_of_spec, Lease lease = Lease::look);
// The same, with the service file to ask.
Result<Judgement> judge(const Located& located, Lease lease = Lease::look);

// The error that start, stop and their like give on refused and undeterminable.
[[nodiscard]] Error refusal(const Judgement& judgement, const std::string& operation, const std::string& name);

}  // namespace steward::manager
