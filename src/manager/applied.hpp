// What an installed service goes by that its init system runs by itself, without a record: its service file, resolved, as it was when it was
// installed or applied last.
#pragma once

#include <optional>
#include <string>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "manager/site.hpp"

namespace steward::manager {

[[nodiscard]] std::string applied_path(const std::string& state_directory, const std::string& name);
[[nodiscard]] Content applied_content(const ServiceSpec& spec);

// Unset: there is none, or none that can be read any more.
[[nodiscard]] std::optional<ServiceSpec> read_applied(const Site& site, const std::string& name);
// Of a service that is installed.
Result<void> write_applied(const Site& site, const ServiceSpec& spec);

}  // namespace steward::manager
