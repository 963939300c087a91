#include "process/daemonize.hpp"

#include <algorithm>
#include <cerrno>

#include "os/child_calls.hpp"
#include "os/error.hpp"
#include "os/process.hpp"
#include "os/signal_guard.hpp"
#include "os/spawn.hpp"

namespace steward::process {

namespace {

namespace call = os::child;

struct Task {
    const std::vector<int>& keep;  // sorted
    int (*body)(void*) noexcept;
    void* argument;
};

int point_standard_streams_at_null() noexcept
{
    int null = -1;
    if (const int error = call::open_null(&null); error != 0) return error;
    for (int stream = 0; stream < 3; ++stream) {
        if (const int error = call::duplicate_to(null, stream); error != 0) return error;
    }
    return 0;
}

// The first child does all that can fail before it makes the second, so that its exit code can tell: 0 or an errno.
int leave(void* daemonize_task) noexcept
{
    const Task& task = *static_cast<const Task*>(daemonize_task);
    if (const int error = call::new_session(); error != 0) return error;
    if (const int error = call::reset_signals(); error != 0) return error;
    call::set_umask(022);
    if (const int error = call::change_directory("/"); error != 0) return error;
    if (const int error = point_standard_streams_at_null(); error != 0) return error;
    call::close_all_but(task.keep);
    std::int32_t daemon = 0;
    if (const int error = call::fork_again(&daemon); error != 0) return error;
    return daemon != 0 ? 0 : task.body(task.argument);
}

}  // namespace

Result<void> daemonize(const std::vector<int>& keep, int (*body)(void*) noexcept, void* argument)
{
    std::vector<int> sorted = keep;
    std::ranges::sort(sorted);
    Task task{.keep = sorted, .body = body, .argument = argument};
    auto spawned = [&] {
        const os::SignalGuard no_signals;
        return os::spawn(&leave, &task);
    }();
    if (!spawned) return fail(std::move(spawned.error()));
    const auto first = os::reap_blocking(spawned->child.pid);
    if (!first) return fail(first.error());
    if (first->status.signalled) {
        return fail(
            Error{.code = ErrorCode::failed, .operation = "daemonize", .object = {}, .cause = "killed by " + to_string(first->status)});
    }
    if (first->status.code != 0) return fail(os::errno_error("daemonize", "", first->status.code));
    return {};
}

}  // namespace steward::process
