// Turns a LaunchPlan into a running program, or into the stage and errno that stopped it.
//
// The child reports over a close-on-exec pipe: that it is about to exec, or the step that failed; end of file after the former is a
// successful exec. So launch() returns only when the program runs or has been reaped.
#pragma once

#include <cstdint>
#include <string_view>

#include <steward/result.hpp>

#include "os/process.hpp"
#include "process/launch_plan.hpp"

namespace steward::process {

// The steps of the child, in their order; a failure names one.
enum class Stage : std::uint8_t {
    none,
    fork,
    own_descriptors,
    session,
    second_fork,
    signals,
    standard_streams,
    descriptors,
    start_time,
    record,
    oom_score,
    nice,
    limits,
    affinity,
    root_directory,
    working_directory,
    capabilities,
    groups,
    gid,
    uid,
    prove_drop,
    no_new_privileges,
    parent_death,
    exec,
};
std::string_view describe(Stage stage);  // "change to the working directory"

struct Launched {
    os::ProcessRef process;
    bool in_cgroup = false;  // false though plan.cgroup was given: the kernel did not allow it
};

// With plan.detach the process is nobody's child (its pidfd is opened by its proven identity); else it is the caller's, to be reaped.
// Blocks until exec; the program may have ended since, which is the process's to tell. An Error is "cannot start SERVICE: cannot STAGE:
// CAUSE", and nothing is left running: program_missing when the program cannot be executed, not_permitted, else failed.
Result<Launched> launch(const LaunchPlan& plan);

}  // namespace steward::process
