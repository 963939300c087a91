// Turns a LaunchPlan into a running program, or into the stage and errno that stopped it.
//
// The child reports over a close-on-exec pipe: bytes are a failure, end of file is a successful exec. So launch() returns only when the
// program runs or has been reaped.
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
    session,
    second_fork,
    standard_streams,
    cgroup,
    limits,
    nice,
    oom_score,
    affinity,
    working_directory,
    root_directory,
    groups,
    gid,
    uid,
    prove_drop,
    capabilities,
    no_new_privileges,
    record,
    exec,
};
std::string_view describe(Stage stage);  // "change to the working directory"

struct Launched {
    os::ProcessRef process;
    bool in_cgroup = false;
};

// With plan.detach the process is nobody's child (its pidfd is opened by its proven identity); else it is the caller's.
Result<Launched> launch(const LaunchPlan& plan);

}  // namespace steward::process
