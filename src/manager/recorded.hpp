// What a supervisor is given that carries on with a service which runs: all from the record.
#pragma once

#include <string>

#include <steward/result.hpp>

#include "manager/paths.hpp"
#include "manager/preparation.hpp"

namespace steward::manager {

// Without what is opened and locked: that is handed on.
Result<supervise::Assignment> recorded_assignment(const std::string& name, const Paths& paths, Foreground foreground);

}  // namespace steward::manager
