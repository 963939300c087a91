// Closing what a program must not inherit, by whichever way this kernel has. Runs between fork and exec: async-signal-safe only.
#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <climits>

#include "os/fd.hpp"

namespace steward::os {
namespace {

constexpr int first_closed = 3;

// Calls close_gap(first, last) for every run of descriptors that nobody wants to keep, up to `last`.
template <class CloseGap>
bool for_each_gap(std::span<const int> sorted_keep, int last, CloseGap close_gap) noexcept
{
    int next = first_closed;
    for (const int kept : sorted_keep) {
        if (kept < next) continue;
        if (kept > last) break;
        if (kept > next && !close_gap(next, kept - 1)) return false;
        if (kept == INT_MAX) return true;
        next = kept + 1;
    }
    return next > last || close_gap(next, last);
}

bool close_by_range(std::span<const int> sorted_keep) noexcept
{
    return for_each_gap(sorted_keep, INT_MAX, [](int first, int last) noexcept {
        const unsigned end = last == INT_MAX ? UINT_MAX : static_cast<unsigned>(last);
        return syscall(SYS_close_range, static_cast<unsigned>(first), end, 0U) == 0;
    });
}

int parse_fd(const char* digits) noexcept
{
    int fd = 0;
    for (; *digits >= '0' && *digits <= '9'; ++digits) fd = fd * 10 + (*digits - '0');
    return *digits == '\0' ? fd : -1;
}

// Closing while listing is sound: the kernel lists by descriptor number. False when /proc is missing or not the kernel's.
bool close_by_listing(std::span<const int> sorted_keep) noexcept
{
    const int listing = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (listing < 0) return false;
    bool saw_itself = false;
    alignas(dirent64) char buffer[4096];
    long size = 0;
    while ((size = syscall(SYS_getdents64, listing, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < size;) {
            const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
            at += entry->d_reclen;
            const int fd = parse_fd(entry->d_name);
            if (fd == listing) saw_itself = true;
            if (fd >= first_closed && fd != listing && !std::binary_search(sorted_keep.begin(), sorted_keep.end(), fd)) close(fd);
        }
    }
    close(listing);
    return size == 0 && saw_itself;
}

void close_one_by_one(std::span<const int> sorted_keep) noexcept
{
    constexpr rlim_t default_nr_open = 1 << 20;  // beyond it no descriptor was ever made but by special arrangement
    rlimit limit{};
    // The hard limit: descriptors stay open when the soft one is lowered below them.
    const bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0;
    const rlim_t end = known ? std::min(limit.rlim_max, default_nr_open) : default_nr_open;
    for_each_gap(sorted_keep, static_cast<int>(end) - 1, [](int first, int last) noexcept {
        for (int fd = first; fd <= last; ++fd) close(fd);
        return true;
    });
}

}  // namespace

void close_all_except(std::span<const int> sorted_keep) noexcept
{
    if (close_by_range(sorted_keep)) return;
    if (close_by_listing(sorted_keep)) return;
    close_one_by_one(sorted_keep);
}

}  // namespace steward::os
