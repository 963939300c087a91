// The way from birth to exec: what the child of a launch does, step by step, and how it tells its parent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "process/launch_plan.hpp"
#include "process/launcher.hpp"

namespace steward::process {

// What the child writes into the pipe: error 0 with Stage::exec before it execs, else the step that failed. Fixed size, far below
// PIPE_BUF: it arrives whole.
struct Report {
    std::int32_t error = 0;
    Stage stage = Stage::none;
    bool in_cgroup = false;
    std::uint16_t limit = 0;  // which of plan.limits, with Stage::limits
    std::int32_t pid = 0;
    std::uint64_t start_time = 0;  // 0: was not needed
};
static_assert(std::is_trivially_copyable_v<Report>);

inline constexpr std::size_t longest_pid = 10;

// Everything that the child reads; it lives in the parent's memory, which the child has a copy of or borrows.
struct ChildTask {
    const LaunchPlan* plan = nullptr;
    char* const* argv = nullptr;
    char* const* environment = nullptr;
    char* listen_pid = nullptr;  // room for longest_pid characters and a NUL in one of `environment`; none: it is not told
    std::int32_t parent = 0;
    // Descriptors, each above all targets or equal to its own, so that none overwrites another. -1: none.
    int standard_input = -1;
    int standard_output = -1;
    int standard_error = -1;
    int report = -1;
    int release = -1;  // with detach: its end lets the first child go
    int record = -1;
    int launch_lock = -1;
    int cgroup = -1;
    std::span<const int> passed;  // as plan.passed
    std::span<const int> keep;    // what stays open until exec, sorted
    bool born_in_cgroup = false;  // set by os::spawn
    int shared_below = 0;         // the descriptors are its parent's too, and all that it needs is below this; 0: it has its own
};

// The body of os::spawn. Runs between fork and exec: it must neither allocate, lock, throw nor use anything that is not
// async-signal-safe, for it may be a copy of one thread of many; nor write to anything but its own stack, for the rest may be its parent's.
int run_child(void* child_task) noexcept;

}  // namespace steward::process
