// The kernel's wait status as an ExitStatus. For src/os only.
#pragma once

#include <steward/manager.hpp>

namespace steward::os {

[[nodiscard]] ExitStatus exit_status_of(int wait_status);  // `at` is now

}  // namespace steward::os
