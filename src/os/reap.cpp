// Collecting ended children. __WALL everywhere: a child made by clone3 without an exit signal is a child like any other.
#include <sys/wait.h>

#include <cerrno>

#include "os/error.hpp"
#include "os/proc_file.hpp"
#include "os/process.hpp"
#include "os/wait_status.hpp"

namespace steward::os {
namespace {

constexpr auto wait_for_pidfd = static_cast<idtype_t>(3);  // P_PIDFD, Linux 5.4

std::int32_t wait_for_number(std::int32_t pid, int* status, int flags)
{
    std::int32_t reaped = 0;
    do {
        reaped = ::waitpid(pid, status, flags | __WALL);
    } while (reaped < 0 && errno == EINTR);
    return reaped;
}

ExitStatus exit_status_of(const siginfo_t& ended)
{
    return ExitStatus{.signalled = ended.si_code != CLD_EXITED,
                      .code = ended.si_status,
                      .core_dumped = ended.si_code == CLD_DUMPED,
                      .at = std::chrono::system_clock::now()};
}

// Unset: this kernel cannot wait for a pidfd.
std::optional<Result<std::optional<Reaped>>> reap_by_pidfd(const ProcessRef& child)
{
    siginfo_t ended = {};
    int result = 0;
    do {
        result = ::waitid(wait_for_pidfd, static_cast<id_t>(child.pidfd().get()), &ended, WEXITED | WNOHANG | __WALL);
    } while (result != 0 && errno == EINTR);
    if (result != 0 && (errno == EINVAL || errno == ENOSYS)) return std::nullopt;
    if (result != 0) return fail(errno_error("reap", process_text(child.pid()), errno));
    if (ended.si_pid == 0) return Result<std::optional<Reaped>>(std::nullopt);
    return Result<std::optional<Reaped>>(Reaped{.pid = ended.si_pid, .status = exit_status_of(ended)});
}

}  // namespace

ExitStatus exit_status_of(int wait_status)
{
    const bool signalled = WIFSIGNALED(wait_status);
    return ExitStatus{.signalled = signalled,
                      .code = signalled ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status),
                      .core_dumped = signalled && WCOREDUMP(wait_status),
                      .at = std::chrono::system_clock::now()};
}

Result<std::optional<Reaped>> reap_any()
{
    int status = 0;
    const std::int32_t pid = wait_for_number(-1, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == ECHILD)) return std::nullopt;
    if (pid < 0) return fail(errno_error("reap", "children", errno));
    return Reaped{.pid = pid, .status = exit_status_of(status)};
}

Result<std::optional<Reaped>> reap(const ProcessRef& child)
{
    if (child.pidfd()) {
        if (auto result = reap_by_pidfd(child)) return std::move(*result);
    }
    int status = 0;
    const std::int32_t pid = wait_for_number(child.pid(), &status, WNOHANG);
    if (pid < 0) return fail(errno_error("reap", process_text(child.pid()), errno));
    if (pid == 0) return std::nullopt;
    return Reaped{.pid = pid, .status = exit_status_of(status)};
}

Result<Reaped> reap_blocking(std::int32_t child)
{
    int status = 0;
    const std::int32_t pid = wait_for_number(child, &status, 0);
    if (pid < 0) return fail(errno_error("reap", process_text(child), errno));
    return Reaped{.pid = pid, .status = exit_status_of(status)};
}

}  // namespace steward::os
