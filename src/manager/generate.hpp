// Units and scripts of a service, from its file.
#pragma once

#include <steward/init_system.hpp>
#include <steward/result.hpp>

#include "manager/located.hpp"

namespace steward::manager {

Result<Generated> generate(const Located& located, const GenerateOptions& options);
// `destination`: empty: they are written nowhere.
Result<std::vector<PackageScript>> package_scripts(const std::vector<Located>& services, PackageFormat format,
                                                   const std::string& destination);

}  // namespace steward::manager
