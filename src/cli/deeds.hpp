// The verbs that change something, each on one service.
#pragma once

#include <steward/manager.hpp>

#include "cli/answers.hpp"
#include "cli/arguments.hpp"

namespace steward::cli {

// Carries out start, stop, restart, try-restart, reload, force-reload or signal.
[[nodiscard]] Result<Deed> do_deed(const Arguments& arguments, Manager& manager, const Target& target);

}  // namespace steward::cli
