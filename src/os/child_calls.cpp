#include "os/child_calls.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "os/fd.hpp"

namespace steward::os::child {
namespace {

int outcome(long result) noexcept
{
    return result < 0 ? errno : 0;
}

// The wrappers of glibc change the ids of all threads, by signals to threads that a child of a threaded program does not have.
#ifdef SYS_setresuid32
constexpr long set_uids = SYS_setresuid32, set_gids = SYS_setresgid32, set_group_list = SYS_setgroups32;
#else
constexpr long set_uids = SYS_setresuid, set_gids = SYS_setresgid, set_group_list = SYS_setgroups;
#endif

// Writes `text` to an existing file of /proc or /sys, whole.
int write_file(int directory, const char* name, const char* text) noexcept
{
    const int fd = openat(directory, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return errno;
    const int error = write_bytes(fd, text, std::strlen(text));
    close(fd);
    return error;
}

}  // namespace

int new_session() noexcept
{
    return outcome(setsid());
}

int fork_again(std::int32_t* pid) noexcept
{
    *pid = _Fork();
    return outcome(*pid);
}

int reset_signals() noexcept
{
    // Raw, because glibc refuses to touch the two signals it keeps for itself, and an ignored one would stay ignored over exec. An
    // all-zero struct is SIG_DFL without flags on every architecture.
    alignas(16) const unsigned char by_default[64] = {};
    for (int signal = 1; signal < NSIG; ++signal) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        if (syscall(SYS_rt_sigaction, signal, by_default, nullptr, static_cast<std::size_t>(NSIG / 8)) < 0) return errno;
    }
    sigset_t none;
    sigemptyset(&none);
    return outcome(sigprocmask(SIG_SETMASK, &none, nullptr));
}

int block_all_signals() noexcept
{
    sigset_t all;
    sigfillset(&all);
    return outcome(sigprocmask(SIG_SETMASK, &all, nullptr));
}

int duplicate_to(int from, int to) noexcept
{
    if (from == to) return outcome(fcntl(to, F_SETFD, 0));
    int result = 0;
    do result = dup2(from, to);
    while (result < 0 && (errno == EINTR || errno == EBUSY));
    return outcome(result);
}

int open_null(int* fd) noexcept
{
    *fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
    return outcome(*fd);
}

int change_directory(const char* path) noexcept
{
    return outcome(chdir(path));
}

int change_root(const char* path) noexcept
{
    if (chroot(path) < 0) return errno;
    return outcome(chdir("/"));
}

void set_umask(unsigned mask) noexcept
{
    umask(static_cast<mode_t>(mask & 0777));
}

int set_rlimit(int resource, std::uint64_t soft, std::uint64_t hard) noexcept
{
    const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
    return outcome(prlimit(0, static_cast<__rlimit_resource>(resource), &limit, nullptr));
}

int set_nice(int nice) noexcept
{
    return outcome(setpriority(PRIO_PROCESS, 0, nice));
}

int set_idle_io() noexcept
{
    // ioprio_set(2) has no wrapper and, in older kernels' headers, no names.
    constexpr int who_process = 1;
    constexpr int class_idle = 3 << 13;
    return outcome(static_cast<int>(syscall(SYS_ioprio_set, who_process, 0, class_idle)));
}

int set_oom_score_adjust(int value) noexcept
{
    if (value < -1000 || value > 1000) return EINVAL;
    char text[8] = {};  // snprintf is not async-signal-safe
    char* at = text + sizeof text - 1;
    unsigned rest = static_cast<unsigned>(value < 0 ? -value : value);
    do *--at = static_cast<char>('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (value < 0) *--at = '-';
    return write_file(AT_FDCWD, "/proc/self/oom_score_adj", at);
}

int set_affinity(std::span<const unsigned> cpus) noexcept
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const unsigned cpu : cpus) {
        if (cpu >= CPU_SETSIZE) return EINVAL;
        CPU_SET(cpu, &set);
    }
    return outcome(sched_setaffinity(0, sizeof set, &set));
}

int join_cgroup(int cgroup_directory) noexcept
{
    return write_file(cgroup_directory, "cgroup.procs", "0");
}

int drop_groups(std::span<const gid_t> groups) noexcept
{
    return outcome(syscall(set_group_list, groups.size(), groups.data()));
}

int set_gid(gid_t gid) noexcept
{
    return outcome(syscall(set_gids, gid, gid, gid));
}

int set_uid(uid_t uid) noexcept
{
    return outcome(syscall(set_uids, uid, uid, uid));
}

int prove_dropped(uid_t uid, gid_t gid) noexcept
{
    constexpr auto keep = static_cast<uid_t>(-1);
    if (uid != 0) {
        if (syscall(set_uids, keep, 0, keep) == 0) return EPERM;
        if (gid != 0 && syscall(set_gids, keep, 0, keep) == 0) return EPERM;
    }
    uid_t real_uid = 0, effective_uid = 0, saved_uid = 0;
    gid_t real_gid = 0, effective_gid = 0, saved_gid = 0;
    if (getresuid(&real_uid, &effective_uid, &saved_uid) < 0 || getresgid(&real_gid, &effective_gid, &saved_gid) < 0) return errno;
    const bool uids_match = real_uid == uid && effective_uid == uid && saved_uid == uid;
    const bool gids_match = real_gid == gid && effective_gid == gid && saved_gid == gid;
    return uids_match && gids_match ? 0 : EPERM;
}

int wait_for_end(int fd) noexcept
{
    char ignored[64];
    ssize_t got = 0;
    do got = read(fd, ignored, sizeof ignored);
    while (got > 0 || (got < 0 && errno == EINTR));
    return outcome(got);
}

int set_parent_death_signal(int signal, std::int32_t parent) noexcept
{
    if (prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) < 0) return errno;
    return getppid() == parent ? 0 : ESRCH;
}

int write_bytes(int fd, const void* data, std::size_t size) noexcept
{
    const auto* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        if (written == 0) return EIO;
        at += written;
        size -= static_cast<std::size_t>(written);
    }
    return 0;
}

int write_bytes_at(int fd, const void* data, std::size_t size, std::int64_t offset) noexcept
{
    const auto* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = pwrite(fd, at, size, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        if (written == 0) return EIO;
        at += written;
        offset += written;
        size -= static_cast<std::size_t>(written);
    }
    return 0;
}

int execute(const char* path, char* const* argv, char* const* envp) noexcept
{
    execve(path, argv, envp);
    return errno;
}

int own_descriptors_below(int end) noexcept
{
    if (syscall(SYS_close_range, static_cast<unsigned>(end), UINT_MAX, CLOSE_RANGE_UNSHARE) == 0) return 0;
    return outcome(unshare(CLONE_FILES));
}

void close_all_but(std::span<const int> sorted_keep) noexcept
{
    close_all_except(sorted_keep);
}

void make_inheritable(int fd) noexcept
{
    fcntl(fd, F_SETFD, 0);
}

void exit(int code) noexcept
{
    _exit(code);
}

std::int32_t pid() noexcept
{
    return getpid();
}

bool own_start_time(std::uint64_t* ticks) noexcept
{
    const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    char line[1024];
    ssize_t size = 0;
    do size = read(fd, line, sizeof line - 1);
    while (size < 0 && errno == EINTR);
    close(fd);
    if (size <= 0) return false;
    line[size] = '\0';
    // The second field is the program's name in brackets and may hold brackets and blanks itself.
    const char* at = std::strrchr(line, ')');
    if (at == nullptr) return false;
    for (int field = 2; field < 22; ++field) {
        at = std::strchr(at + 1, ' ');
        if (at == nullptr) return false;
    }
    std::uint64_t value = 0;
    const char* digit = at + 1;
    for (; *digit >= '0' && *digit <= '9'; ++digit) value = value * 10 + static_cast<std::uint64_t>(*digit - '0');
    if (digit == at + 1 || *digit != ' ') return false;
    *ticks = value;
    return true;
}

}  // namespace steward::os::child
