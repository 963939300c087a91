// Connections to a service that is looked at: begun without waiting, watched on the loop, and asked what has become of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// What they return is non-blocking, and becomes writable when the connection has come about or failed; connection_outcome tells which.
Result<UniqueFd> begin_tcp_connection(const std::string& address, std::uint16_t port);
// Of whatever kind the socket at `path` is. At once: connected, or the reason it is not.
Result<void> try_unix_connection(const std::string& path);
Result<void> connection_outcome(BorrowedFd socket);

// How many bytes went; 0: it would have to wait. A peer that has gone is an error, never a signal.
Result<std::size_t> send_now(BorrowedFd socket, std::span<const std::byte> bytes);

}  // namespace steward::os
