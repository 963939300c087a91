#include "os/file_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "os/error.hpp"

namespace steward::os {
namespace {

Result<int> add(BorrowedFd fd, const std::string& path, std::uint32_t changes)
{
    const int watch = inotify_add_watch(fd.get(), path.c_str(), changes);
    if (watch < 0) return fail(errno_error("watch", quoted(path), errno));
    return watch;
}

}  // namespace

std::chrono::milliseconds FileWatch::needed_look()
{
    utsname kernel{};
    int major = 0;
    int minor = 0;
    if (uname(&kernel) == 0) {
        const char* const end = kernel.release + std::strlen(kernel.release);
        const auto whole = std::from_chars(kernel.release, end, major);
        if (whole.ptr != end) std::from_chars(whole.ptr + 1, end, minor);
    }
    return std::chrono::milliseconds(major > 6 || (major == 6 && minor >= 6) ? -1 : 500);
}

Result<FileWatch> FileWatch::create(std::chrono::milliseconds look)
{
    UniqueFd fd(inotify_init1(IN_CLOEXEC));
    if (fd) return FileWatch(std::move(fd), look);
    Error error = errno_error("watch", "files", errno);
    if (error.os_errno == EMFILE) error.next_step = "a larger fs.inotify.max_user_instances";
    return fail(std::move(error));
}

Result<int> FileWatch::add_file(BorrowedFd file)
{
    // By descriptor: the name may have gone to another file.
    return add(fd_, "/proc/self/fd/" + std::to_string(file.get()), IN_MODIFY);
}

Result<int> FileWatch::add_directory(const std::string& path)
{
    return add(fd_, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

Result<std::vector<FileWatch::Change>> FileWatch::wait(BorrowedFd reader) const
{
    std::array<pollfd, 2> waits{{{.fd = fd_.get(), .events = POLLIN, .revents = 0}, {.fd = reader.get(), .events = 0, .revents = 0}}};
    int ready = -1;
    while ((ready = poll(waits.data(), waits.size(), static_cast<int>(look_.count()))) < 0) {
        if (errno != EINTR) return fail(errno_error("watch", "files", errno));
    }
    if (ready == 0) return std::vector<Change>{{.watch = -1, .name = {}}};
    if ((waits[0].revents & POLLIN) == 0) return std::vector<Change>{};
    alignas(inotify_event) char buffer[16384];
    ssize_t size = -1;
    do {
        size = read(fd_.get(), buffer, sizeof buffer);
    } while (size < 0 && errno == EINTR);
    if (size < 0) return fail(errno_error("watch", "files", errno));
    std::vector<Change> changes;
    for (ssize_t at = 0; at < size;) {
        inotify_event event{};
        std::memcpy(&event, buffer + at, sizeof event);
        const char* const name = buffer + at + sizeof event;
        changes.push_back({.watch = (event.mask & IN_Q_OVERFLOW) != 0 ? -1 : event.wd, .name = event.len == 0 ? "" : name});
        at += static_cast<ssize_t>(sizeof event + event.len);
    }
    return changes;
}

}  // namespace steward::os
