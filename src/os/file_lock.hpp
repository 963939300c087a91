// Byte locks on an open file (F_OFD_SETLK): they belong to the open file description, so a forked child's copy keeps them and
// the kernel drops them with the last copy, however its holder died.
#pragma once

#include <chrono>
#include <optional>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// Takes the exclusive lock on byte `offset`, now or not at all: false when another open file description holds it.
// `fd` must be open for writing.
Result<bool> try_lock(BorrowedFd fd, std::int64_t offset);
// Waits for it; timed_out when the deadline passes first. Unset: waits for ever.
Result<void> lock(BorrowedFd fd, std::int64_t offset, std::optional<std::chrono::milliseconds> timeout = {});
Result<void> unlock(BorrowedFd fd, std::int64_t offset);
// Whether somebody else holds it. `fd` need only be open for reading.
Result<bool> is_locked(BorrowedFd fd, std::int64_t offset);

}  // namespace steward::os
