// The pidfd system calls, raw: no C library of Debian 12's age wraps them all, and the structures of newer kernels are not in its
// headers. Everything here is async-signal-safe and returns a value or a negative errno. For src/os only.
#pragma once

#include <cstdint>
#include <optional>

namespace steward::os::pidfd {

int open(std::int32_t pid) noexcept;  // close-on-exec
// Whether an error of open() means that this host has no pidfds (kernel before 5.3, or a seccomp filter), and not that there is
// no such process.
[[nodiscard]] bool means_unavailable(int error) noexcept;
// Whether an error of open() means that no process (but perhaps a thread) has this number.
[[nodiscard]] bool means_no_process(int error) noexcept;

int send_signal(int fd, int signal) noexcept;
int send_signal_to_group(int fd, int signal) noexcept;  // -EINVAL before Linux 6.9

// A copy of the process's descriptor `its`, close-on-exec. -ENOSYS before Linux 5.6, -EPERM without the right to trace the process.
int get_descriptor(int fd, int its) noexcept;

// 1 when the whole process has ended (zombies count), 0 when it has not within `timeout_ms` (-1: for ever). -EINTR is passed on.
int wait_ended(int fd, int timeout_ms) noexcept;

// The inode that no other process of this boot has; 0 where the kernel has no pidfs (before 6.9).
std::uint64_t inode(int fd) noexcept;

// The wait status of a process that has been reaped by whoever is its parent. Unset before Linux 6.15, and until it is reaped.
std::optional<int> wait_status(int fd) noexcept;

}  // namespace steward::os::pidfd
