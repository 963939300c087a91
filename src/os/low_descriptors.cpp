#include "os/low_descriptors.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "os/error.hpp"

namespace steward::os {

namespace {

// As many as a launch lends at most, three streams, record, lock, cgroup and report; and one that stays as it is.
std::array<int, 8> low;
std::size_t low_count = 0;

}  // namespace

void keep_low_descriptors() noexcept
{
    if (LowDescriptors::kept() || syscall(SYS_close_range, UINT_MAX, UINT_MAX, CLOSE_RANGE_UNSHARE) != 0) return;
    for (low_count = 0; low_count < low.size(); ++low_count) {
        low[low_count] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (low[low_count] <= 2) break;  // none is left, or this process lacks a standard stream
    }
    if (LowDescriptors::kept()) return;
    for (std::size_t at = 0; at <= low_count; ++at) close(low[at]);
    low_count = 0;
}

bool LowDescriptors::kept() noexcept
{
    return low_count == low.size();
}

int LowDescriptors::end() noexcept
{
    return kept() ? low.back() + 1 : 0;  // the kernel gives the lowest free one each time
}

LowDescriptors::~LowDescriptors()
{
    // What was lent is let go, for the end of a pipe is told by its last copy.
    bool kept_all = true;
    for (std::size_t at = 0; at < lent_; ++at) {
        if (dup3(low.back(), low[at], O_CLOEXEC) >= 0) continue;
        close(low[at]);
        kept_all = false;
    }
    // A number that is free may be anybody's next.
    if (!kept_all) low_count = 0;
}

Result<int> LowDescriptors::lend(BorrowedFd fd)
{
    if (!kept() || lent_ + 1 >= low.size()) return fail(errno_error("copy", "a descriptor", EMFILE));
    if (dup3(fd.get(), low[lent_], O_CLOEXEC) < 0) return fail(errno_error("copy", "a descriptor", errno));
    return low[lent_++];
}

}  // namespace steward::os
