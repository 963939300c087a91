// From an understood command line to an exit code: asks the manager, tells the console.
#pragma once

#include <steward/manager.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/render.hpp"

namespace steward::cli {

// Carries out any verb but help.
[[nodiscard]] int carry_out(const Arguments& arguments, Manager& manager, Console& console, TimePoint now);

}  // namespace steward::cli
