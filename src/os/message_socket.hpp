// Framed messages between processes of this host: Unix SOCK_SEQPACKET, with the peer's credentials checked by the kernel.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// Binds `name` in `directory` (through /proc/self/fd, so that the path may be of any length), replacing a socket that is there,
// and listens. Non-blocking. mode: of the socket's file.
Result<UniqueFd> listen_messages(BorrowedFd directory, const std::string& name, unsigned mode);
// not_running when nobody listens (ECONNREFUSED, ENOENT), timed_out when the listener takes nobody in for five seconds.
Result<UniqueFd> connect_messages(BorrowedFd directory, const std::string& name);
// Unset: nobody waits. What it returns is non-blocking: a peer that does not read makes send_message fail with EAGAIN.
Result<std::optional<UniqueFd>> accept_messages(BorrowedFd listener);

struct Peer {
    std::int32_t pid = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};
Result<Peer> peer_of(BorrowedFd socket);

// EPIPE is an error, never a signal. An empty message is refused: to the peer it would look like the end.
Result<void> send_message(BorrowedFd socket, std::span<const std::byte> message);
// The same, but a peer that does not read is not waited for: EAGAIN.
Result<void> send_message_now(BorrowedFd socket, std::span<const std::byte> message);
// Takes the next message into `into`, of which a longer one is cut; its length, 0: none waits. Allocates nothing.
[[nodiscard]] std::size_t receive_into(BorrowedFd socket, std::span<std::byte> into) noexcept;
// Blocks up to `timeout` (unset: for ever; passed: timed_out). Unset result: the peer has closed. Longer than `limit` is an error,
// and the message is dropped. Descriptors that a peer sends along are dropped too.
Result<std::optional<std::vector<std::byte>>> receive_message(BorrowedFd socket, std::size_t limit,
                                                              std::optional<std::chrono::milliseconds> timeout);
// Looks at the next message without taking it; unset: none waits. `closed` is set when the peer has closed and none waits.
struct Peeked {
    std::optional<std::vector<std::byte>> message;
    bool closed = false;
};
Result<Peeked> receive_now(BorrowedFd socket, std::size_t limit, bool peek);

}  // namespace steward::os
