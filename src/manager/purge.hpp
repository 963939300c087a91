// What a service leaves behind beside its installation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "manager/site.hpp"
#include "os/fd.hpp"

namespace steward::manager {

// Its record, its log files, and its state, cache and logs of [directories]: what of them is there. Nothing of the service file's where
// that is gone. The directory of its configuration is not among them, nor what it finds elsewhere.
[[nodiscard]] std::vector<std::string> belongings_of(const Site& site, const std::string& name);

// Nobody starts the service as long as the descriptor is held; unset: it has no record. already_running: it runs, or may.
Result<std::optional<os::UniqueFd>> hold_stopped(const Site& site, const std::string& name);

}  // namespace steward::manager
