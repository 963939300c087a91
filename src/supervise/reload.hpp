// Asks a running service to read its configuration again.
#pragma once

#include <string>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "os/process.hpp"
#include "supervise/command_run.hpp"

namespace steward::supervise {

// By [reload] signal, and only if the main process catches it: unsupported otherwise, because the default action would end it.
Result<void> reload_by_signal(const ServiceSpec& spec, const os::ProcessRef& main);

// unsupported when the service file names no way.
Result<void> check_reload(const ServiceSpec& spec);

inline constexpr std::chrono::seconds reload_command_timeout{90};
// What a reload command that did not succeed is told as.
Error reload_command_error(const ServiceSpec& spec, const CommandRun::Outcome& outcome);

}  // namespace steward::supervise
