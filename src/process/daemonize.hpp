// daemon(7) in one call: the caller goes on, a new process that nothing ties to the caller's terminal runs `body`.
#pragma once

#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::process {

// Forks, leaves the session (setsid), forks again, resets signals and mask, umask 022, goes to "/", points 0, 1 and 2 at
// /dev/null and closes every other descriptor but `keep`. Then `body(argument)` runs; its value is the exit code.
// `keep` holds descriptors from 3 up. Returns in the caller when the first child has been reaped. The new process may allocate: the
// caller must have no threads.
Result<void> daemonize(const std::vector<int>& keep, int (*body)(void*) noexcept, void* argument);

}  // namespace steward::process
