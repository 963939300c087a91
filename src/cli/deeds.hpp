// The verbs that change something, each on one service.
#pragma once

#include <optional>
#include <string>

#include <steward/manager.hpp>

#include "cli/answers.hpp"
#include "cli/arguments.hpp"

namespace steward::cli {

// In a package's maintainer script the host has a say (steward/package_policy.hpp): what the verb is not to do to the service, and why. Unset:
// it may be done, or, with --here, an init system has been asked already.
[[nodiscard]] std::optional<Deed> left_undone(const Arguments& arguments, const std::string& service);

// What became of a service that was started or stopped, asked for or along with another.
[[nodiscard]] Result<Deed> deed_of(const StartPart& part, bool waited);
[[nodiscard]] Result<Deed> deed_of(const StopPart& part);

// Carries out restart, try-restart, reload, force-reload, reexec, signal, or what logs does to logs. What else is started for it is told to `others`.
[[nodiscard]] Result<Deed> do_deed(const Arguments& arguments, Manager& manager, const Target& target, const OnStarted& others);

}  // namespace steward::cli
