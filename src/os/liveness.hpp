// Whether a process lives, told without a pidfd. For src/os only.
#pragma once

#include <steward/result.hpp>

#include "os/process.hpp"

namespace steward::os {

// Dead: /proc shows no such process, one of another start time, or a zombie without threads. What /proc hides is undeterminable.
Result<Liveness> liveness_by_start_time(const ProcessIdentity& identity);

}  // namespace steward::os
