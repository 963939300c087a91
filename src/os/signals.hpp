// Signals for a process that waits for them itself, without an event loop. Nothing here allocates unless it fails.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <steward/result.hpp>

namespace steward::os {

// Adds them to the mask: they stay pending until wait_for_signal() or an EventLoop takes them. Children inherit the mask.
Result<void> block_signals(std::initializer_list<int> signals);
// Waits for one of them, which must be blocked, and takes it. `sender` (may be null) gets the sender's PID, 0 where the kernel sent it.
// EINTR is retried. -1 only when `signals` holds what is no signal.
int wait_for_signal(std::initializer_list<int> signals, std::int32_t* sender) noexcept;

// For a process that stops using its EventLoop, or that inherited a mask from one.
void unblock_all_signals() noexcept;
// Every handler to its default, and nothing blocked.
void reset_signals() noexcept;
// SIGCHLD to its default where it is ignored: then the kernel would reap children before anybody could ask for their status.
void expect_children() noexcept;
// Writing to what nobody reads then fails with EPIPE. Children inherit it over exec: they call reset_signals().
void ignore_sigpipe() noexcept;
// Writing beyond RLIMIT_FSIZE then fails with EFBIG.
void ignore_sigxfsz() noexcept;

}  // namespace steward::os
