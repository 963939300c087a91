#include "os/spawn.hpp"

#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>

#include "os/clone_call.hpp"
#include "os/error.hpp"

namespace steward::os {
namespace {

// fork's semantics, plus a pidfd that is held from the first moment.
clone_args with_pidfd(int* pidfd, BorrowedFd cgroup)
{
    clone_args args{};
    args.flags = CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uintptr_t>(pidfd);
    args.exit_signal = SIGCHLD;
    if (cgroup) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<__u64>(cgroup.get());
    }
    return args;
}

// Raw: glibc has no wrapper, and needs none here, because the child runs on its own copy of this stack.
long clone_copy(const clone_args& args)
{
    return syscall(SYS_clone3, &args, sizeof args);
}

struct Task {
    int (*body)(void*) noexcept;
    void* argument;
};

void run_and_exit(void* task) noexcept
{
    const Task& of = *static_cast<const Task*>(task);
    exit_now(of.body(of.argument));
}

// A guard page, and room for what a child does before exec.
class Stack {
  public:
    Stack() : base_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0))
    {
        usable_ = base_ != MAP_FAILED && mprotect(base_, guard, PROT_NONE) == 0;
    }
    ~Stack()
    {
        if (base_ != MAP_FAILED) munmap(base_, size);
    }
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;
    [[nodiscard]] bool usable() const { return usable_; }
    [[nodiscard]] std::uintptr_t base() const { return reinterpret_cast<std::uintptr_t>(base_); }

    static constexpr std::size_t size = std::size_t{128} * 1024;

  private:
    static constexpr std::size_t guard = std::size_t{64} * 1024;  // a page, however large
    void* base_;
    bool usable_ = false;
};

// In the calling process -1 and errno, or the PID; the child returns only if it is a copy.
long clone_borrower(clone_args args, const SpawnOptions& options, Task task)
{
    args.flags |= CLONE_VFORK;
    if (options.borrows_descriptors) args.flags |= CLONE_FILES;
    if (!options.borrows_memory || !can_share_memory) return clone_copy(args);
    const Stack stack;
    if (!stack.usable()) return clone_copy(args);
    args.flags |= CLONE_VM;
    args.stack = stack.base();
    args.stack_size = Stack::size;
    const long result = clone_onto_stack(args, run_and_exit, &task);
    if (result >= 0) return result;
    errno = static_cast<int>(-result);
    return -1;
}

long clone_with_pidfd(int* pidfd, BorrowedFd cgroup, const SpawnOptions& options, Task task)
{
    const clone_args args = with_pidfd(pidfd, cgroup);
    if (!options.borrows_memory && !options.borrows_descriptors) return clone_copy(args);
    return clone_borrower(args, options, task);
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
    const Task task{.body = body, .argument = argument};
    long pid = clone_with_pidfd(&pidfd, options.cgroup, options, task);
    // The cgroup may be full, frozen, of another kind, or unknown to this kernel (before 5.7): born outside, the child can still join.
    if (pid < 0 && in_cgroup && errno != ENOSYS && !is_final(errno)) {
        in_cgroup = false;
        tell_child(in_cgroup);
        pid = clone_with_pidfd(&pidfd, {}, options, task);
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
