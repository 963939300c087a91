// apply: what runs is made equal to its service file, with no more done to it than the changed keys need.
#pragma once

#include <steward/application.hpp>
#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "manager/located.hpp"

namespace steward::manager {

Result<Application> apply(Located located, const ApplyOptions& options, const OnStarted& others);

}  // namespace steward::manager
