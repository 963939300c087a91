// Messages of sd_notify(3): to whoever started this process, and from the services that it has started.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// To the socket that NOTIFY_SOCKET names: a path, or '@' and a name. Waits at most a second for a receiver that does not read.
Result<void> send_notification(const std::string& address, std::string_view message);

// A socket that takes such messages from anybody, non-blocking: bound to `name` in `directory`, replacing a socket that is there.
Result<UniqueFd> listen_to_notifications(BorrowedFd directory, const std::string& name);
// The same under an address that the kernel chooses, where nothing can be written.
struct NamelessListener {
    UniqueFd socket;
    std::string address;  // for NOTIFY_SOCKET
};
Result<NamelessListener> listen_to_notifications();

// Longer messages are cut, and `whole` is false. Descriptors that come along are closed at once, which is what a sender of BARRIER=1
// waits for: so a message is to be taken when it has been acted upon.
struct Notification {
    std::int32_t sender = 0;  // as the kernel says; 0: a process of another PID namespace
    std::string text;
    bool whole = true;
    bool with_descriptors = false;
};
inline constexpr std::size_t notification_limit = 4096;
enum class Take { look, take };
// Unset: none waits.
Result<std::optional<Notification>> receive_notification(BorrowedFd socket, Take take);

}  // namespace steward::os
