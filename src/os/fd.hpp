// Descriptors with their ownership in the type: UniqueFd closes what it holds, BorrowedFd only looks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <steward/result.hpp>

namespace steward::os {

// A descriptor that somebody else owns and that outlives this value. -1: none.
class BorrowedFd {
  public:
    constexpr BorrowedFd() = default;
    constexpr explicit BorrowedFd(int fd) : fd_(fd) {}
    [[nodiscard]] constexpr int get() const { return fd_; }
    constexpr explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

// Owns a descriptor; closes it at the end of its life.
class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept;
    ~UniqueFd() { reset(); }

    [[nodiscard]] BorrowedFd borrow() const { return BorrowedFd(fd_); }
    operator BorrowedFd() const { return BorrowedFd(fd_); }
    [[nodiscard]] int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    void reset();

  private:
    int fd_ = -1;
};

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};
Result<Pipe> make_pipe();  // close-on-exec
// A connected pair of SOCK_SEQPACKET sockets, close-on-exec.
Result<Pipe> make_message_pair();
Result<UniqueFd> duplicate(BorrowedFd fd, int lowest = 0);  // close-on-exec
// One end for both directions of a new pipe, close-on-exec and non-blocking: whoever holds it keeps what is in it, and no writer is ever
// told that its reader has died.
Result<UniqueFd> make_mailbox();
Result<UniqueFd> open_mailbox(BorrowedFd mailbox);  // again, blocking, for a program to write to
// A descriptor of another process, opened anew for reading; for a pipe that is the same pipe. Needs /proc and the right to look.
Result<UniqueFd> open_descriptor_of(std::int32_t pid, int fd);
// Opens /dev/null for those of 0, 1 and 2 that are closed: else the next file that is opened would be written to as standard error.
Result<void> open_standard_streams();

// Reads to the end, at most `limit` bytes: more is an error. Retries EINTR.
Result<std::string> read_all(BorrowedFd fd, std::size_t limit);
// One read; 0 bytes is the end. Retries EINTR.
Result<std::size_t> read_some(BorrowedFd fd, std::span<std::byte> into);
Result<void> write_all(BorrowedFd fd, std::string_view bytes);
Result<void> set_nonblocking(BorrowedFd fd);  // for all who share the open file description
// For descriptors that do not block. Unset: there is nothing now; 0 bytes is the end.
Result<std::optional<std::size_t>> read_now(BorrowedFd fd, std::span<std::byte> into);
// How much was written; 0: nothing can be now.
Result<std::size_t> write_now(BorrowedFd fd, std::string_view bytes);
// Whether a write of up to PIPE_BUF bytes would go through without waiting for a reader.
[[nodiscard]] bool can_write_now(BorrowedFd fd);

// Closes every descriptor from 3 up except those in `keep`. Fast with any RLIMIT_NOFILE: close_range(2), else /proc/self/fd, else
// one by one up to the limit. Async-signal-safe when `keep` is sorted.
void close_all_except(std::span<const int> sorted_keep) noexcept;

}  // namespace steward::os
