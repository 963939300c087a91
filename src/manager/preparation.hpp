// From a service file to all that a launch needs: the plans, the places, the output.
#pragma once

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "manager/located.hpp"
#include "supervise/assignment.hpp"

namespace steward::manager {

enum class Foreground { yes, no };  // decides what log.output = auto means, and whether this may be PID 1

// Proves that the service can be launched: its plans can be made, its PID file's place is safe, its output is possible.
// Makes [directories] only when `make_directories` is wanted (check makes nothing).
enum class MakeDirectories { yes, no };

// Everything of an Assignment but what is opened or locked.
struct Preparation {
    ServiceSpec spec;
    process::LaunchPlan plan;
    std::optional<process::LaunchPlan> stop_command;
    std::optional<process::LaunchPlan> reload_command;
    supervise::OutputTarget output;
    std::string pid_file;
    std::string cgroup_name;
    std::string service_file;
    std::uint64_t file_digest = 0;
};
Result<Preparation> prepare(const Located& located, Foreground foreground, MakeDirectories directories);

// Opens and writes what the record needs before a launch: boot identity, resolved service file; adopts the lease.
Result<supervise::Assignment> assign(Preparation preparation, record::ServiceDirectory directory, os::UniqueFd lease);

}  // namespace steward::manager
