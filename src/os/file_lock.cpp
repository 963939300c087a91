#include "os/file_lock.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>

#include "os/error.hpp"
#include "os/spawn.hpp"

namespace steward::os {
namespace {

flock byte_lock(short type, std::int64_t offset)
{
    flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = offset;
    lock.l_len = 1;
    return lock;
}

int take(int fd, int command, std::int64_t offset) noexcept
{
    flock wanted = byte_lock(F_WRLCK, offset);
    int result = 0;
    do result = fcntl(fd, command, &wanted);
    while (result < 0 && errno == EINTR);
    return result < 0 ? errno : 0;
}

Error lock_error(const char* operation, int error)
{
    return errno_error(operation, "the file", error);
}

struct Waiter {
    int fd;
    std::int64_t offset;
    std::int32_t parent;
};

// Runs in a child: it shares the open file description, so the lock it gets is its parent's too and outlives it.
int wait_for_lock(void* argument) noexcept
{
    const auto& waiter = *static_cast<const Waiter*>(argument);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != waiter.parent) return EOWNERDEAD;  // killed before it could be tied to us
    return take(waiter.fd, F_OFD_SETLKW, waiter.offset);
}

using Deadline = std::chrono::steady_clock::time_point;

// Until every copy of the pipe's other end is closed.
void wait_for_end(BorrowedFd pipe, Deadline deadline)
{
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        if (left <= 0) return;
        pollfd watched{.fd = pipe.get(), .events = POLLIN, .revents = 0};
        if (poll(&watched, 1, static_cast<int>(std::min<long long>(left, INT_MAX))) > 0) return;
    }
}

// fcntl cannot wait with a deadline, and an alarm signal would be the whole process's. So a short-lived child waits: the kernel queues
// it, and nothing here wakes up to look. The lock may come at any moment up to the child's end.
Result<void> wait_by_child(BorrowedFd fd, std::int64_t offset, Deadline deadline)
{
    auto end = make_pipe();
    if (!end) return fail(end.error());
    Waiter waiter{.fd = fd.get(), .offset = offset, .parent = getpid()};
    const auto spawned = spawn(wait_for_lock, &waiter);
    if (!spawned) return fail(spawned.error());
    end->write.reset();
    wait_for_end(end->read, deadline);
    kill(spawned->child.pid, SIGKILL);  // ours and not yet reaped: the number cannot be another's
    int status = 0;
    while (waitpid(spawned->child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) return fail(lock_error("lock", WEXITSTATUS(status)));
    return {};
}

}  // namespace

Result<bool> try_lock(BorrowedFd fd, std::int64_t offset)
{
    const int error = take(fd.get(), F_OFD_SETLK, offset);
    if (error == EAGAIN || error == EACCES) return false;
    if (error != 0) return fail(lock_error("lock", error));
    return true;
}

Result<void> lock(BorrowedFd fd, std::int64_t offset, std::optional<std::chrono::milliseconds> timeout)
{
    if (!timeout) {
        const int error = take(fd.get(), F_OFD_SETLKW, offset);
        if (error != 0) return fail(lock_error("lock", error));
        return {};
    }
    const auto deadline = std::chrono::steady_clock::now() + *timeout;
    for (;;) {
        const auto taken = try_lock(fd, offset);
        if (!taken) return fail(taken.error());
        if (*taken) return {};
        if (std::chrono::steady_clock::now() >= deadline) break;
        if (const auto waited = wait_by_child(fd, offset, deadline); !waited) return fail(waited.error());
    }
    return fail(Error{.code = ErrorCode::timed_out, .operation = "lock", .object = "the file", .cause = "another process holds it"});
}

Result<void> unlock(BorrowedFd fd, std::int64_t offset)
{
    flock released = byte_lock(F_UNLCK, offset);
    if (fcntl(fd.get(), F_OFD_SETLK, &released) < 0) return fail(lock_error("unlock", errno));
    return {};
}

Result<bool> is_locked(BorrowedFd fd, std::int64_t offset)
{
    flock asked = byte_lock(F_WRLCK, offset);
    if (fcntl(fd.get(), F_OFD_GETLK, &asked) < 0) return fail(lock_error("ask for the lock of", errno));
    return asked.l_type != F_UNLCK;
}

}  // namespace steward::os
