// Which variables a service gets, and which of its caller's it never does.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "os/account.hpp"
#include "process/launch_plan.hpp"

namespace steward::process {

// For everything that steward starts; root's own. What the caller's PATH holds is the caller's business (CVE-2024-48990).
inline constexpr const char* default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

using Environment = std::map<std::string, std::string>;

struct ServiceEnvironment {
    Environment all;
    Environment given;  // by environment-files and environment alone: where options-variable is looked for
};

// From the least to the most telling: the base that inherit-environment asks for, environment-files in their order, `environment`,
// the context's own. `user` is the account of [service] user, unset where none is written.
Result<ServiceEnvironment> compose_environment(const ServiceSpec& spec, const PlanContext& context, const std::optional<os::Account>& user);

// LD_PRELOAD, IFS, NOTIFY_SOCKET and their like: they would act on the service in the name of whoever called steward.
[[nodiscard]] bool is_hostile_variable(std::string_view name);

[[nodiscard]] bool is_variable_name(std::string_view name);

}  // namespace steward::process
