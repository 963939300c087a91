// The cgroup of a service's next run: there if it can be, and with [resources] there or an error.
#pragma once

#include <optional>
#include <span>
#include <string>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "os/cgroup.hpp"

namespace steward::supervise {

[[nodiscard]] os::CgroupLimits limits_of(const ServiceSpec::Resources& resources);

// Whether they could be held on this host. Whether the caller may is seen when the cgroup is made.
Result<void> check_limits(const ServiceSpec& spec);

// Unset: steward may make none here, and no limit needs one. `own`: steward's processes, see os::Cgroup::limit().
Result<std::optional<os::Cgroup>> limited_cgroup(const std::string& name, const ServiceSpec& spec, std::span<const std::int32_t> own);

// What is told when a limit is written and nothing can hold it.
[[nodiscard]] Error no_cgroup(const ServiceSpec& spec);

}  // namespace steward::supervise
