// start, stop and restart of services with all that belong to them, in the order of their dependencies.
#pragma once

#include <optional>
#include <vector>

#include <steward/manager.hpp>

#include "manager/verbs.hpp"

namespace steward::manager {

void start_together(std::vector<Located> asked, const StartOptions& options, const OnStarted& told);
void stop_together(std::vector<Located> asked, const OnStopped& told);
Result<std::optional<StartOutcome>> restart_together(Located located, const StartOptions& options, RestartWhat what,
                                                     const OnStarted& others);

}  // namespace steward::manager
