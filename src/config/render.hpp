// From a resolved spec back to keys: for `show`, and as the service file that the record keeps.
#pragma once

#include <vector>

#include <steward/service_spec.hpp>

#include "config/resolve.hpp"

namespace steward::config {

// Every key of this version that has a value, in the schema's order; those not in `origins` come from the built-in defaults.
[[nodiscard]] std::vector<ResolvedKey> resolved_keys(const ServiceSpec& spec, const Origins& origins);

}  // namespace steward::config
