#include "os/fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>

#include "os/error.hpp"

namespace steward::os {
namespace {

constexpr std::size_t first_read = 4096;

Result<UniqueFd> open_both_ways(BorrowedFd pipe, int flags)
{
    UniqueFd both(open(("/proc/self/fd/" + std::to_string(pipe.get())).c_str(), O_RDWR | O_CLOEXEC | flags));
    if (!both) return fail(errno_error("open", "a pipe", errno));
    return both;
}

std::string described(BorrowedFd fd)
{
    return "descriptor " + std::to_string(fd.get());
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept
{
    if (this != &other) {
        reset();
        fd_ = other.release();
    }
    return *this;
}

void UniqueFd::reset()
{
    if (fd_ >= 0) close(std::exchange(fd_, -1));  // Linux has closed it even where it reports EINTR
}

Result<Pipe> make_pipe()
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return fail(errno_error("make", "a pipe", errno));
    return Pipe{.read = UniqueFd(ends[0]), .write = UniqueFd(ends[1])};
}

Result<Pipe> make_message_pair()
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return fail(errno_error("make", "a pair of sockets", errno));
    return Pipe{.read = UniqueFd(ends[0]), .write = UniqueFd(ends[1])};
}

Result<UniqueFd> duplicate(BorrowedFd fd, int lowest)
{
    const int copy = fcntl(fd.get(), F_DUPFD_CLOEXEC, lowest);
    if (copy < 0) return fail(errno_error("duplicate", described(fd), errno));
    return UniqueFd(copy);
}

Result<UniqueFd> make_mailbox()
{
    auto pipe = make_pipe();
    if (!pipe) return fail(pipe.error());
    return open_both_ways(pipe->read, O_NONBLOCK);
}

Result<UniqueFd> open_mailbox(BorrowedFd mailbox)
{
    return open_both_ways(mailbox, 0);
}

Result<UniqueFd> open_descriptor_of(std::int32_t pid, int fd)
{
    const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
    UniqueFd opened(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!opened) return fail(errno_error("open", quoted(path), errno));
    return opened;
}

Result<std::string> read_all(BorrowedFd fd, std::size_t limit)
{
    std::string content;
    for (;;) {
        const std::size_t had = content.size();
        content.resize(std::min(had + std::max(had, first_read), limit + 1));  // one byte more than allowed tells "full" from "too long"
        const auto got = read_some(fd, std::as_writable_bytes(std::span(content).subspan(had)));
        if (!got) return fail(got.error());
        content.resize(had + *got);
        if (*got == 0) return content;
        if (content.size() > limit) {
            return fail(Error{.code = ErrorCode::failed,
                              .operation = "read",
                              .object = described(fd),
                              .cause = "longer than " + std::to_string(limit) + " bytes",
                              .next_step = {},
                              .os_errno = EFBIG});
        }
    }
}

Result<std::size_t> read_some(BorrowedFd fd, std::span<std::byte> into)
{
    ssize_t got = 0;
    do got = read(fd.get(), into.data(), into.size());
    while (got < 0 && errno == EINTR);
    if (got < 0) return fail(errno_error("read", described(fd), errno));
    return static_cast<std::size_t>(got);
}

Result<void> set_nonblocking(BorrowedFd fd)
{
    const int flags = fcntl(fd.get(), F_GETFL);
    if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0) return fail(errno_error("set up", described(fd), errno));
    return {};
}

Result<std::optional<std::size_t>> read_now(BorrowedFd fd, std::span<std::byte> into)
{
    ssize_t got = 0;
    do got = read(fd.get(), into.data(), into.size());
    while (got < 0 && errno == EINTR);
    if (got >= 0) return std::optional(static_cast<std::size_t>(got));
    if (errno == EAGAIN) return std::optional<std::size_t>();
    return fail(errno_error("read", described(fd), errno));
}

Result<std::size_t> write_now(BorrowedFd fd, std::string_view bytes)
{
    ssize_t written = 0;
    do written = write(fd.get(), bytes.data(), bytes.size());
    while (written < 0 && errno == EINTR);
    if (written >= 0) return static_cast<std::size_t>(written);
    if (errno == EAGAIN) return std::size_t{0};
    return fail(errno_error("write to", described(fd), errno));
}

bool can_write_now(BorrowedFd fd)
{
    pollfd polled{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    int ready = 0;
    do ready = poll(&polled, 1, 0);
    while (ready < 0 && errno == EINTR);
    return ready > 0 && (polled.revents & POLLOUT) != 0;
}

Result<void> write_all(BorrowedFd fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = write(fd.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(errno_error("write to", described(fd), errno));
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace steward::os
