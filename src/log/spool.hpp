// Where bytes are between the FIFO and a log that is not written as they come: nothing that was taken is lost, and nothing is written twice,
// wherever the process that does it is killed.
//
// Bytes come by splice(2), so they are in the FIFO or in the spool, and the spool's size tells which. A mark says how far the spool has been
// brought into the log, and how long the log was then. Whoever finds bytes beyond the mark cuts the log back to it and brings them again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <steward/result.hpp>

#include "log/rate_gate.hpp"
#include "os/fd.hpp"

namespace steward::log {

struct SpoolMark {
    std::uint64_t consumed = 0;  // of the spool's bytes
    std::uint64_t log_device = 0;
    std::uint64_t log_inode = 0;
    std::uint64_t log_size = 0;
    std::uint64_t in_line = 0;     // 1: the last line that was written waits for its end
    std::uint64_t lost_lines = 0;  // since the last report of a loss
    std::uint64_t lost_bytes = 0;
    std::uint64_t inside_lost = 0;  // 1: the last line that was lost waits for its end
    GateState gate;
    friend bool operator==(const SpoolMark&, const SpoolMark&) = default;
};

class Spool {
  public:
    // `file` is an empty one, or one that a Spool has left, which may have been killed at any moment.
    static Result<Spool> open(os::UniqueFd file);

    [[nodiscard]] const SpoolMark& mark() const { return mark_; }
    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] std::uint64_t pending() const { return size_ - mark_.consumed; }

    // From the FIFO; at most `limit`. 0: none waits. EINVAL: this file system cannot.
    Result<std::size_t> take(os::BorrowedFd fifo, std::size_t limit);
    // What comes after the mark. 0: nothing.
    Result<std::size_t> read(std::span<std::byte> into) const;
    // All that it says is true now.
    Result<void> set_mark(const SpoolMark& mark);
    // The space of what is consumed is given back. Does nothing while more is pending than that.
    Result<void> shrink();
    // What was read out of the FIFO already.
    Result<void> append(std::span<const std::byte> bytes);

  private:
    Result<void> mark_first();
    explicit Spool(os::UniqueFd file) : file_(std::move(file)) {}
    Result<void> load();

    os::UniqueFd file_;
    SpoolMark mark_;
    std::uint64_t sequence_ = 0;
    std::uint64_t size_ = 0;  // of the bytes, without the head
    bool is_marked_ = true;   // false: the file's own mark is older than mark_, and nothing may come behind it
};

}  // namespace steward::log
