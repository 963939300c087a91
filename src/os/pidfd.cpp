#include "os/pidfd.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

namespace steward::os::pidfd {
namespace {

constexpr unsigned signal_process_group = 1U << 2;  // PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9
constexpr long pid_fs_magic = 0x50494446;           // PID_FS_MAGIC

// struct pidfd_info of Linux 6.15 (PIDFD_INFO_SIZE_VER0). The size is part of the ioctl's number.
struct Info {
    std::uint64_t mask;
    std::uint64_t cgroup_id;
    std::uint32_t pid, tgid, ppid;
    std::uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    std::int32_t exit_code;
};
static_assert(sizeof(Info) == 64);
constexpr unsigned long get_info = _IOWR(0xFF, 11, Info);  // PIDFD_GET_INFO
constexpr std::uint64_t info_exit = 1U << 3;               // PIDFD_INFO_EXIT

int negative(long result) noexcept
{
    return result < 0 ? -errno : static_cast<int>(result);
}

int send(int fd, int signal, unsigned flags) noexcept
{
    return negative(::syscall(SYS_pidfd_send_signal, fd, signal, nullptr, flags));
}

}  // namespace

int open(std::int32_t pid) noexcept
{
    return negative(::syscall(SYS_pidfd_open, pid, 0U));
}

bool means_unavailable(int error) noexcept
{
    return error == ENOSYS || error == EPERM || error == EACCES || error == ENODEV;
}

bool means_no_process(int error) noexcept
{
    // EINVAL, ENOENT on newer kernels: the number is a thread's and not a process's.
    return error == ESRCH || error == EINVAL || error == ENOENT;
}

int send_signal(int fd, int signal) noexcept
{
    return send(fd, signal, 0);
}

int send_signal_to_group(int fd, int signal) noexcept
{
    return send(fd, signal, signal_process_group);
}

int get_descriptor(int fd, int its) noexcept
{
    return negative(::syscall(SYS_pidfd_getfd, fd, its, 0U));
}

int wait_ended(int fd, int timeout_ms) noexcept
{
    pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&polled, 1, timeout_ms);
    if (ready < 0) return -errno;
    if (ready > 0 && (polled.revents & POLLNVAL) != 0) return -EBADF;
    return ready;
}

std::uint64_t inode(int fd) noexcept
{
    struct statfs filesystem = {};
    struct stat file = {};
    if (::fstatfs(fd, &filesystem) != 0 || filesystem.f_type != pid_fs_magic) return 0;
    return ::fstat(fd, &file) == 0 ? file.st_ino : 0;
}

std::optional<int> wait_status(int fd) noexcept
{
    Info info = {};
    info.mask = info_exit;
    if (::ioctl(fd, get_info, &info) != 0 || (info.mask & info_exit) == 0) return std::nullopt;
    return info.exit_code;
}

}  // namespace steward::os::pidfd
