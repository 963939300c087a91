// The words of a service file for what this machine's kernel knows by number.
#pragma once

#include <optional>
#include <string_view>

namespace steward::os {

// "nofile" → RLIMIT_NOFILE; unset: no such limit here.
[[nodiscard]] std::optional<int> rlimit_number(std::string_view name);
// "cap_net_bind_service" → 10; unset: unknown.
[[nodiscard]] std::optional<int> capability_number(std::string_view name);

}  // namespace steward::os
