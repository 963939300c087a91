// Units and scripts of a service, from its file.
#pragma once

#include <steward/init_system.hpp>
#include <steward/result.hpp>

#include "manager/located.hpp"

namespace steward::manager {

Result<Generated> generate(const Located& located, const GenerateOptions& options);

}  // namespace steward::manager
