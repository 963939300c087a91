// Messages of sd_notify(3) to whoever started this process.
#pragma once

#include <string>
#include <string_view>

#include <steward/result.hpp>

namespace steward::os {

// To the socket that NOTIFY_SOCKET names: a path, or '@' and a name. Waits at most a second for a receiver that does not read.
Result<void> send_notification(const std::string& address, std::string_view message);

}  // namespace steward::os
