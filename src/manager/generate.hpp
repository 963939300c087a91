// Units and scripts of a service, from its file.
#pragma once

#include <steward/init_system.hpp>
#include <steward/result.hpp>

#include "init/render.hpp"
#include "manager/located.hpp"

namespace steward::manager {

// Of what a service file says, not of how it says it.
[[nodiscard]] std::string source_hash(const ServiceSpec& spec);
// What a renderer is told of a service.
[[nodiscard]] init::Request request_for(const config::Loaded& loaded, Scope scope, const std::string& service_file, std::string steward);
// unsupported where a key is lost.
Result<void> require_expressible(const std::string& name, const std::vector<KeyNote>& notes);

Result<Generated> generate(const Located& located, const GenerateOptions& options);
// `destination`: empty: they are written nowhere.
Result<std::vector<PackageScript>> package_scripts(const std::vector<Located>& services, PackageFormat format,
                                                   const std::string& destination);

}  // namespace steward::manager
