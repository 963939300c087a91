// From a service file to all that a launch needs: the plans, the places, the output.
#pragma once

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "manager/located.hpp"
#include "supervise/assignment.hpp"
#include "supervise/listening.hpp"

namespace steward::manager {

// Where the service file says that its lines are sent to a daemon: to which one.
void send_output(supervise::OutputTarget& target, const ServiceSpec& spec, const Paths& paths);

enum class Foreground { yes, no };  // decides what log.output = auto means, and whether this may be PID 1

// Whether [directories] are made: check makes nothing.
enum class MakeDirectories { yes, no };

// Everything of an Assignment but what is opened or locked.
struct Preparation {
    ServiceSpec spec;
    process::LaunchPlan plan;
    process::OptionalPlan stop_command;
    process::OptionalPlan reload_command;
    process::OptionalPlan ready_command;
    process::OptionalPlan health_command;
    supervise::HookPlans hooks;
    supervise::OutputTarget output;
    std::string pid_file;
    std::uint32_t pid_file_owner = 0;
    std::string cgroup_name;
    std::string service_file;
    std::uint64_t file_digest = 0;
};

// Proves that the service can be launched as its file has it now: its plans can be made, and its PID file's place is safe.
Result<Preparation> prepare(const Located& located, Foreground foreground, MakeDirectories directories);
// The same as it was started, for what runs and is taken over.
Result<Preparation> prepare_started(const Located& located, const record::State& state, Foreground foreground);

// The service file as the record keeps it: resolved, with the digest of the files that it was made of.
[[nodiscard]] std::string recorded_file(const ServiceSpec& spec, std::uint64_t digest);

// Writes what stands in the record before a launch: the resolved service file, and "starting" over what was there. With `adopt` the record
// is left as it is, to be carried on from.
enum class Adopt { yes, no };
// Sockets that may be the service's: those that are, are taken. Any other that it needs is opened.
struct OfferedSockets {
    std::vector<os::UniqueFd>& descriptors;
    supervise::SocketFiles files;
};
Result<supervise::Assignment> assign(Preparation preparation, record::ServiceDirectory directory, os::UniqueFd lease, Adopt adopt,
                                     const OfferedSockets& offered);

// The same without what is opened and locked: for a successor, who is given that.
Result<supervise::Assignment> assignment_of(Preparation preparation);

// For a run that has nowhere to keep a record.
Result<supervise::Assignment> assign_without_record(Preparation preparation, const OfferedSockets& offered);

// Of an assignment that came to nothing before its supervisor began: says so in its record, and leaves no socket's file.
void note_failed_start(supervise::Assignment& assignment, const Error& error);

}  // namespace steward::manager
