// install, uninstall, enable, disable.
#pragma once

#include <optional>

#include <steward/installation.hpp>
#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "manager/enablement.hpp"
#include "manager/located.hpp"

namespace steward::manager {

Result<Installation> install(const Target& target, const ManagerOptions& caller, const InstallOptions& options);
Result<Installation> uninstall(const Target& target, const ManagerOptions& caller, const UninstallOptions& options);
Result<Installation> set_at_boot(const Target& target, const ManagerOptions& caller, AtBoot at_boot, const BootOptions& options);

// Whether `run --all` runs it: as enable and disable said last, else as its service file says.
[[nodiscard]] AtBoot at_boot_without_init(const Located& located);

}  // namespace steward::manager
