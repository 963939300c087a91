// Descriptors in a message between processes of this host (SCM_RIGHTS).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

inline constexpr std::size_t most_passed = 64;

// As send_message (message_socket.hpp), with at most most_passed descriptors.
Result<void> send_descriptors(BorrowedFd socket, std::span<const std::byte> message, std::span<const BorrowedFd> descriptors);

// Waits until `timeout` for one such message; longer ones are cut. An empty message: the peer has closed.
struct WithDescriptors {
    std::vector<std::byte> message;
    std::vector<UniqueFd> descriptors;  // close-on-exec
};
Result<WithDescriptors> receive_descriptors(BorrowedFd socket, std::size_t limit, std::chrono::milliseconds timeout);

}  // namespace steward::os
