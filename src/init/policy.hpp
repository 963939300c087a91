// objection_to() of steward/package_policy.hpp by what the host is, for tests.
#pragma once

#include <optional>
#include <string>

#include <steward/package_policy.hpp>

#include "init/control.hpp"

namespace steward::init {

// `policy` is the path of a policy-rc.d that may be missing; `booted`: an init system runs.
[[nodiscard]] std::optional<std::string> objection_to(const std::string& action, const std::string& service, const std::string& policy,
                                                      bool booted, const RunTool& run);

}  // namespace steward::init
