// ProcessRef: a process held by a pidfd where the kernel has them, by its start time where not.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/deadline.hpp"
#include "os/error.hpp"
#include "os/liveness.hpp"
#include "os/pidfd.hpp"
#include "os/proc_file.hpp"
#include "os/process.hpp"
#include "os/wait_status.hpp"

namespace steward::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds look_interval(50);  // without pidfds

struct Found {
    UniqueFd pidfd;
    ProcessIdentity identity;
};

Error ended_error(std::string operation, std::int32_t pid)
{
    return Error{.code = ErrorCode::not_running,
                 .operation = std::move(operation),
                 .object = process_text(pid),
                 .cause = "it has ended",
                 .os_errno = ESRCH};
}

Error signal_error(std::int32_t pid, int os_errno)
{
    return os_errno == ESRCH ? ended_error("signal", pid) : errno_error("signal", process_text(pid), os_errno);
}

// The pidfd, or an empty one where there are none. Unset: no such process.
Result<std::optional<UniqueFd>> open_pidfd(std::int32_t pid)
{
    const int fd = pidfd::open(pid);
    if (fd >= 0) return std::optional(UniqueFd(fd));
    if (pidfd::means_unavailable(-fd)) return std::optional(UniqueFd());
    if (!pidfd::means_no_process(-fd)) return fail(errno_error("hold", process_text(pid), -fd));
    if (!proc_is_ours()) return fail(no_proc_error("look for", process_text(pid)));
    return std::nullopt;
}

// Whoever has the number now. Unset: nobody.
Result<std::optional<Found>> find_process(std::int32_t pid)
{
    if (pid <= 0) return std::nullopt;
    auto opened = open_pidfd(pid);
    if (!opened) return fail(std::move(opened.error()));
    if (!*opened) return std::nullopt;
    Found found{.pidfd = std::move(**opened), .identity = {.pid = pid}};
    auto stat = read_stat(pid);
    if (!stat) return fail(std::move(stat.error()));
    if (!*stat) return std::nullopt;
    found.identity.start_time = (*stat)->start_time;
    if (found.pidfd) {
        // Reaped meanwhile: then what was read may be its successor's.
        if (pidfd::send_signal(found.pidfd.get(), 0) == -ESRCH) return std::nullopt;
        found.identity.pidfs_inode = pidfd::inode(found.pidfd.get());
    }
    return found;
}

bool is_same(const ProcessIdentity& wanted, const ProcessIdentity& found)
{
    const bool inodes_agree = wanted.pidfs_inode == 0 || found.pidfs_inode == 0 || wanted.pidfs_inode == found.pidfs_inode;
    return wanted.start_time == found.start_time && inodes_agree;
}

Result<void> signal_by_number(const ProcessIdentity& identity, int signal)
{
    // Between these two calls lies the window that only a pidfd closes.
    const Result<Liveness> state = liveness_by_start_time(identity);
    if (!state) return fail(state.error());
    if (*state == Liveness::dead) return fail(ended_error("signal", identity.pid));
    if (::kill(identity.pid, signal) != 0) return fail(signal_error(identity.pid, errno));
    return {};
}

Result<void> prove_not_reaped(const ProcessRef& process)
{
    const int probe = process.pidfd() ? pidfd::send_signal(process.pidfd().get(), 0) : -ENOSYS;
    if (probe == 0) return {};
    if (probe == -ESRCH) return fail(ended_error("signal", process.pid()));
    const auto stat = read_stat(process.pid());
    if (!stat) return fail(stat.error());
    if (!*stat || (*stat)->start_time != process.identity().start_time) return fail(ended_error("signal", process.pid()));
    return {};
}

}  // namespace

Result<Liveness> liveness_by_start_time(const ProcessIdentity& identity)
{
    auto stat = read_stat(identity.pid);
    if (!stat) return fail(std::move(stat.error()));
    if (!*stat) return Liveness::dead;
    if ((*stat)->start_time != identity.start_time) {
        // Another process has the number, unless it is another /proc.
        if (!proc_is_ours()) return fail(no_proc_error("look at", process_text(identity.pid)));
        return Liveness::dead;
    }
    // State Z with other threads alive: only the leader thread has ended.
    const bool ended = ((*stat)->state == 'Z' || (*stat)->state == 'X') && (*stat)->tasks <= 1;
    return ended ? Liveness::dead : Liveness::alive;
}

Result<std::optional<ProcessRef>> ProcessRef::open(const ProcessIdentity& identity)
{
    if (identity && identity.start_time == 0 && identity.pid != 1) {  // which may have started in the first tick
        return fail(Error{.code = ErrorCode::undeterminable,
                          .operation = "look for",
                          .object = process_text(identity.pid),
                          .cause = "its start time is not known"});
    }
    auto found = find_process(identity.pid);
    if (!found) return fail(std::move(found.error()));
    if (!*found) return std::nullopt;
    if (!is_same(identity, (*found)->identity)) {
        // Start times of another PID namespace's /proc prove nothing.
        if (!proc_is_ours()) return fail(no_proc_error("look for", process_text(identity.pid)));
        return std::nullopt;
    }
    ProcessRef process;
    process.identity_ = (*found)->identity;
    process.pidfd_ = std::move((*found)->pidfd);
    return process;
}

Result<std::optional<ProcessRef>> ProcessRef::open_pid(std::int32_t pid)
{
    auto found = find_process(pid);
    if (!found) return fail(std::move(found.error()));
    if (!*found) return std::nullopt;
    ProcessRef process;
    process.identity_ = (*found)->identity;
    process.pidfd_ = std::move((*found)->pidfd);
    return process;
}

Result<ProcessRef> ProcessRef::adopt_child(std::int32_t pid, UniqueFd pidfd)
{
    ProcessRef process;
    process.identity_.pid = pid;
    process.pidfd_ = std::move(pidfd);
    if (!process.pidfd_) {
        auto opened = open_pidfd(pid);
        if (!opened) return fail(std::move(opened.error()));
        if (!*opened) return fail(ended_error("hold", pid));
        process.pidfd_ = std::move(**opened);
    }
    if (process.pidfd_) process.identity_.pidfs_inode = pidfd::inode(process.pidfd_.get());
    const auto stat = read_stat(pid);
    if (stat && *stat) {
        process.identity_.start_time = (*stat)->start_time;
    } else if (!process.pidfd_) {  // neither way to know it again
        return fail(stat ? ended_error("hold", pid) : stat.error());
    }
    return process;
}

Result<Liveness> ProcessRef::liveness() const
{
    if (!pidfd_) return liveness_by_start_time(identity_);
    int ended = 0;
    do {
        ended = pidfd::wait_ended(pidfd_.get(), 0);
    } while (ended == -EINTR);
    if (ended < 0) return fail(errno_error("look at", process_text(pid()), -ended));
    return ended == 0 ? Liveness::alive : Liveness::dead;
}

Result<void> ProcessRef::signal(int signal) const
{
    if (!pidfd_) return signal_by_number(identity_, signal);
    const Result<Liveness> state = liveness();
    if (!state) return fail(state.error());
    if (*state == Liveness::dead) return fail(ended_error("signal", pid()));  // the kernel would signal a zombie without a word
    int result = pidfd::send_signal(pidfd_.get(), signal);
    // ENOSYS, EPERM: perhaps a seccomp filter that lets pidfd_open through and not this; kill(2) tells whether it is permitted.
    if (result == -ENOSYS || result == -EPERM) result = ::kill(pid(), signal) == 0 ? 0 : -errno;
    if (result < 0) return fail(signal_error(pid(), -result));
    return {};
}

Result<void> ProcessRef::signal_group(int signal) const
{
    if (pid() <= 1) {  // kill(-1) is everybody
        return fail(Error{.code = ErrorCode::invalid_argument,
                          .operation = "signal",
                          .object = "the group of " + process_text(pid()),
                          .cause = "it leads none that steward may signal"});
    }
    if (pidfd_) {
        const int result = pidfd::send_signal_to_group(pidfd_.get(), signal);
        if (result == 0) return {};
        if (result != -EINVAL && result != -ENOSYS && result != -EPERM) return fail(signal_error(pid(), -result));
    }
    // Even a zombie keeps its number from being given to another; once it is reaped, the number proves nothing.
    if (auto result = prove_not_reaped(*this); !result) return result;
    if (::getpgid(pid()) != pid()) return fail(signal_error(pid(), ESRCH));
    if (::kill(-pid(), signal) != 0) return fail(signal_error(pid(), errno));
    return {};
}

Result<bool> ProcessRef::wait(std::optional<milliseconds> timeout) const
{
    std::optional<steady_clock::time_point> deadline;
    if (timeout) deadline = steady_clock::now() + *timeout;
    while (true) {
        const int left = milliseconds_until(deadline);
        if (pidfd_) {
            const int ended = pidfd::wait_ended(pidfd_.get(), left);
            if (ended >= 0) return ended == 1;
            if (ended != -EINTR) return fail(errno_error("wait for", process_text(pid()), -ended));
            continue;
        }
        const Result<Liveness> state = liveness_by_start_time(identity_);
        if (!state) return fail(state.error());
        if (*state == Liveness::dead) return true;
        if (left == 0) return false;
        const int interval = static_cast<int>(look_interval.count());
        ::poll(nullptr, 0, left < 0 ? interval : std::min(left, interval));
    }
}

std::optional<ExitStatus> ProcessRef::foreign_exit_status() const
{
    if (!pidfd_) return std::nullopt;
    const std::optional<int> status = pidfd::wait_status(pidfd_.get());
    return status ? std::optional(exit_status_of(*status)) : std::nullopt;
}

}  // namespace steward::os
