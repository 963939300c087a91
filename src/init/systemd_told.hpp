// What systemd says of a unit, in steward's words. Pure.
#pragma once

#include <string>

#include "init/authority.hpp"
#include "init/systemd_bus.hpp"

namespace steward::init {

[[nodiscard]] Told told_by(const SystemdUnit& unit);

// What became of it: systemd's result, and the exit that it comes from.
[[nodiscard]] std::string result_text(const SystemdUnit& unit);

}  // namespace steward::init
