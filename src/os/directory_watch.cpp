#include "os/directory_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "os/error.hpp"

namespace steward::os {

Result<UniqueFd> watch_directory(const std::string& directory)
{
    UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!watch) return fail(errno_error("watch", quoted(directory), errno));
    constexpr std::uint32_t changes = IN_CREATE | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
    if (::inotify_add_watch(watch.get(), directory.c_str(), changes | IN_ONLYDIR) < 0) {
        return fail(errno_error("watch", quoted(directory), errno));
    }
    return watch;
}

bool take_changes(BorrowedFd watch)
{
    bool there = true;
    for (;;) {
        alignas(inotify_event) char buffer[4096];
        const ssize_t size = ::read(watch.get(), buffer, sizeof buffer);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return there;
        for (ssize_t at = 0; at < size;) {
            inotify_event event{};
            std::memcpy(&event, buffer + at, sizeof event);
            if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) there = false;
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
    }
}

}  // namespace steward::os
