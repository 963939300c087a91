// What an installation is made for: which init system, and which steward its files call.
#pragma once

#include <optional>
#include <string>

#include <steward/installation.hpp>
#include <steward/result.hpp>

#include "manager/site.hpp"

namespace steward::manager {

// The init system that was asked for, or that is there; unset: none.
Result<std::optional<InitSystem>> system_to_install_for(const Site& site, const std::string& name, const InstallOptions& options);

// The path that units call: this very program, where nobody but root could replace it.
Result<std::string> steward_to_call(const Site& site, const std::string& name);

}  // namespace steward::manager
