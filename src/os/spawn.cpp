#include "os/spawn.hpp"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>

#include "os/error.hpp"

namespace steward::os {
namespace {

// fork's semantics, plus a pidfd that is held from the first moment. Raw: glibc has no wrapper, and needs none here, because the
// child runs on its own copy of this stack.
long clone_with_pidfd(int* pidfd, BorrowedFd cgroup)
{
    clone_args args{};
    args.flags = CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uintptr_t>(pidfd);
    args.exit_signal = SIGCHLD;
    if (cgroup) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<__u64>(cgroup.get());
    }
    return syscall(SYS_clone3, &args, sizeof args);
}

// Errors that another attempt by other means could not cure.
bool is_final(int error)
{
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
}

}  // namespace

Result<Spawned> spawn(int (*body)(void*) noexcept, void* argument, const SpawnOptions& options)
{
    const auto tell_child = [&](bool in_cgroup) {
        if (options.born_in_cgroup != nullptr) *options.born_in_cgroup = in_cgroup;
    };
    int pidfd = -1;
    bool in_cgroup = static_cast<bool>(options.cgroup);
    tell_child(in_cgroup);
    long pid = clone_with_pidfd(&pidfd, options.cgroup);
    // The cgroup may be full, frozen, of another kind, or unknown to this kernel (before 5.7): born outside, the child can still join.
    if (pid < 0 && in_cgroup && errno != ENOSYS && !is_final(errno)) {
        in_cgroup = false;
        tell_child(in_cgroup);
        pid = clone_with_pidfd(&pidfd, {});
    }
    if (pid < 0 && !is_final(errno)) {  // ENOSYS, or EPERM from a seccomp filter
        in_cgroup = false;
        tell_child(in_cgroup);
        pid = _Fork();
        if (pid > 0) pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    }
    if (pid == 0) exit_now(body(argument));
    if (pid < 0) return fail(errno_error("create", "a process", errno));
    return Spawned{.child = {.pid = static_cast<std::int32_t>(pid), .pidfd = UniqueFd(pidfd)}, .in_cgroup = in_cgroup};
}

void abandon(std::int32_t child) noexcept
{
    // Not reaped, it keeps its number: neither call can hit anybody else. The child before its group: the other way round it could make
    // the group and a member of it in between. Killed, it makes no more.
    kill(child, SIGKILL);
    kill(-child, SIGKILL);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void exit_now(int code) noexcept
{
    _exit(code);
}

}  // namespace steward::os
