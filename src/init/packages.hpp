// The scripts that a package manager runs around the files of a package: what starts, stops and enables its services.
#pragma once

#include <string>
#include <vector>

#include <steward/init_system.hpp>

namespace steward::init {

[[nodiscard]] std::vector<PackageScript> package_scripts(PackageFormat format, const std::vector<std::string>& services);

}  // namespace steward::init
