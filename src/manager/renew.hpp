// A unit or script says of which service file it was made.
#pragma once

#include <optional>

#include "manager/located.hpp"
#include "manager/manifest.hpp"

namespace steward::manager {

// Of the installation for an init system, where the service was located by the file that it is installed with.
[[nodiscard]] std::optional<Manifest> manifest_of(const Located& located);

// Whether that is another than there is now. False for what is not installed, and where it cannot be told.
[[nodiscard]] bool is_unit_stale(const Located& located);

// Makes a stale one anew before the service is started by it. One that was edited stays, and so does one that the caller may not write: what is
// in the way, install and apply tell. True when its socket unit is another now: that goes on listening as before until the service is stopped.
bool renew_unit(const Located& located);

}  // namespace steward::manager
