// What the main process of a dead service left behind.
#pragma once

#include <optional>

#include <steward/result.hpp>

#include "manager/judgement.hpp"
#include "manager/located.hpp"
#include "os/cgroup.hpp"

namespace steward::manager {

// Unset where the record names none, or was written in another boot or PID namespace.
std::optional<os::Cgroup> recorded_cgroup(const Judgement& judgement);

// Ends what the recorded cgroup still holds: that is the service's own beyond doubt, and nothing else is. Whether SIGKILL was needed that
// had not been asked for.
enum class Manners { ask_first, kill };
Result<bool> end_leftovers(const Located& located, const Judgement& judgement, Manners manners);

}  // namespace steward::manager
