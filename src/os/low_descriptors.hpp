// A child gets a copy of its parent's table of descriptors, to close most of it again: with thousands of them that costs more than all the
// rest of a launch. close_range(2) with CLOSE_RANGE_UNSHARE copies only what is below the range. So a process that will have many keeps a
// few low numbers, and lends them to what a child needs.
#pragma once

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// Once, before the process has many; they are kept for its life. Where the kernel cannot do it (before 5.9), nothing is kept. Not thread-safe.
void keep_low_descriptors() noexcept;

// Descriptors under low numbers, as long as this lives. One at a time.
class LowDescriptors {
  public:
    LowDescriptors() = default;
    ~LowDescriptors();
    LowDescriptors(const LowDescriptors&) = delete;
    LowDescriptors& operator=(const LowDescriptors&) = delete;

    // Whether there are any, kept before.
    [[nodiscard]] static bool kept() noexcept;
    // The first number above all of them.
    [[nodiscard]] static int end() noexcept;
    // A copy of `fd`, close-on-exec, from 3 up.
    Result<int> lend(BorrowedFd fd);

  private:
    std::size_t lent_ = 0;
};

}  // namespace steward::os
