// supervise = false: a start that leaves no steward process behind.
#pragma once

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "supervise/assignment.hpp"

namespace steward::manager {

// With the verb lock and the lease in hand, for as long as it takes.
Result<StartOutcome> start_alone(supervise::Assignment assignment, const StartOptions& options);

}  // namespace steward::manager
