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

// Whether the socket unit is another than it was: what it listens on is opened anew when the service has been stopped, and not before.
[[nodiscard]] bool reopens_sockets(const Installation& done);

// Whether `run --all` runs it: as enable and disable said last, else as its service file says.
[[nodiscard]] AtBoot at_boot_without_init(const Located& located);

}  // namespace steward::manager
