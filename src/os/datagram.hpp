// Datagrams to a logging daemon of this host, which may be slow, gone, or replaced by another at the same path: nothing here waits unasked.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// To the socket at `path`, which has to be short (107 bytes). What it returns is non-blocking; message_socket's send_message_now() sends.
Result<UniqueFd> connect_datagrams(const std::string& path);
// For what is larger than a datagram can be: the same bytes in a file without a name, sealed, whose descriptor is the message.
Result<void> send_as_file(BorrowedFd socket, const std::string& name, std::span<const std::byte> message);
// Whether it has room before the time is over.
[[nodiscard]] bool await_room(BorrowedFd socket, std::chrono::milliseconds patience);

}  // namespace steward::os
