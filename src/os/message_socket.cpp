#include "os/message_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "os/deadline.hpp"
#include "os/error.hpp"

namespace steward::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int backlog = 64;
constexpr timeval connect_patience{.tv_sec = 5, .tv_usec = 0};

// The name seen through the directory's descriptor: short, whatever the directory's path.
Result<sockaddr_un> address_of(BorrowedFd directory, const std::string& name, const char* operation)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + name;
    if (name.empty() || name.find('/') != std::string::npos || path.size() >= sizeof address.sun_path) {
        return fail(errno_error(operation, "the socket " + quoted(name), ENAMETOOLONG));
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

Result<UniqueFd> make_socket(int flags)
{
    UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
    if (!socket) return fail(errno_error("make", "a socket", errno));
    return socket;
}

// 0 or an errno.
int remove_old_socket(BorrowedFd directory, const std::string& name)
{
    struct stat there = {};
    if (::fstatat(directory.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(there.st_mode)) return EEXIST;
    return ::unlinkat(directory.get(), name.c_str(), 0) == 0 || errno == ENOENT ? 0 : errno;
}

const sockaddr* generic(const sockaddr_un& address)
{
    return reinterpret_cast<const sockaddr*>(&address);
}

bool means_closed(int error)
{
    return error == ECONNRESET || error == EPIPE || error == ENOTCONN;
}

ssize_t receive(BorrowedFd socket, void* into, std::size_t size, int flags)
{
    ssize_t length = 0;
    do {
        length = ::recv(socket.get(), into, size, flags | MSG_DONTWAIT);
    } while (length < 0 && errno == EINTR);
    return length;
}

}  // namespace

Result<UniqueFd> listen_messages(BorrowedFd directory, const std::string& name, unsigned mode)
{
    const auto failed = [&](int error) { return fail(errno_error("listen on", "the socket " + quoted(name), error)); };
    const auto address = address_of(directory, name, "listen on");
    if (!address) return fail(address.error());
    auto socket = make_socket(SOCK_NONBLOCK);
    if (!socket) return socket;
    if (const int error = remove_old_socket(directory, name); error != 0) return failed(error);
    // The file is born with its mode: a chmod afterwards would leave a moment in which anybody may connect.
    const mode_t old_mask = ::umask(0777 & ~static_cast<mode_t>(mode));
    const int error = ::bind(socket->get(), generic(*address), sizeof *address) == 0 ? 0 : errno;
    ::umask(old_mask);
    if (error != 0) return failed(error);
    if (::listen(socket->get(), backlog) != 0) return failed(errno);
    return socket;
}

Result<UniqueFd> connect_messages(BorrowedFd directory, const std::string& name)
{
    const auto address = address_of(directory, name, "connect to");
    if (!address) return fail(address.error());
    auto socket = make_socket(0);
    if (!socket) return socket;
    // connect(2) waits while the backlog is full: for a listener that hangs, it would for ever.
    ::setsockopt(socket->get(), SOL_SOCKET, SO_SNDTIMEO, &connect_patience, sizeof connect_patience);
    int result = 0;
    do {
        result = ::connect(socket->get(), generic(*address), sizeof *address);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        const int os_errno = errno;
        Error error = errno_error("connect to", "the socket " + quoted(name), os_errno);
        if (os_errno == ECONNREFUSED || os_errno == ENOENT) error.code = ErrorCode::not_running;
        if (os_errno == EAGAIN) error.code = ErrorCode::timed_out;
        return fail(std::move(error));
    }
    constexpr timeval no_timeout{};
    ::setsockopt(socket->get(), SOL_SOCKET, SO_SNDTIMEO, &no_timeout, sizeof no_timeout);
    return socket;
}

Result<std::optional<UniqueFd>> accept_messages(BorrowedFd listener)
{
    while (true) {
        UniqueFd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket) return socket;
        if (errno == EAGAIN || errno == ECONNABORTED) return std::nullopt;
        if (errno != EINTR) return fail(errno_error("accept", "a connection", errno));
    }
}

Result<Peer> peer_of(BorrowedFd socket)
{
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return fail(errno_error("identify", "a peer", errno));
    }
    return Peer{.pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid};
}

namespace {

Result<void> send_with(BorrowedFd socket, std::span<const std::byte> message, int flags)
{
    if (message.empty()) {  // at the other end it could not be told from a close
        return fail(Error{.code = ErrorCode::invalid_argument, .operation = "send", .object = "a message", .cause = "it is empty"});
    }
    ssize_t sent = 0;
    do {
        sent = ::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL | flags);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return fail(errno_error("send", "a message", errno));
    return {};
}

}  // namespace

Result<void> send_message(BorrowedFd socket, std::span<const std::byte> message)
{
    return send_with(socket, message, 0);
}

Result<void> send_message_now(BorrowedFd socket, std::span<const std::byte> message)
{
    return send_with(socket, message, MSG_DONTWAIT);
}

std::size_t receive_into(BorrowedFd socket, std::span<std::byte> into) noexcept
{
    const ssize_t taken = receive(socket, into.data(), into.size(), 0);
    return taken > 0 ? static_cast<std::size_t>(taken) : 0;
}

Result<Peeked> receive_now(BorrowedFd socket, std::size_t limit, bool peek)
{
    const auto outcome_of = [](int error) -> Result<Peeked> {
        if (error == EAGAIN) return Peeked{};
        if (means_closed(error)) return Peeked{.message = {}, .closed = true};
        return fail(errno_error("receive", "a message", error));
    };
    // MSG_TRUNC makes recv tell the whole length of the message, however little of it is taken.
    const ssize_t length = receive(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC);
    if (length < 0) return outcome_of(errno);
    if (length == 0) return Peeked{.message = {}, .closed = true};
    const auto size = static_cast<std::size_t>(length);
    if (size > limit) {
        if (!peek) receive(socket, nullptr, 0, 0);
        return fail(errno_error("receive", "a message of " + std::to_string(size) + " bytes", EMSGSIZE));
    }
    std::vector<std::byte> message(size);
    const ssize_t taken = receive(socket, message.data(), size, peek ? MSG_PEEK : 0);
    if (taken < 0) return outcome_of(errno);
    message.resize(static_cast<std::size_t>(taken));
    return Peeked{.message = std::move(message), .closed = false};
}

Result<std::optional<std::vector<std::byte>>> receive_message(BorrowedFd socket, std::size_t limit, std::optional<milliseconds> timeout)
{
    std::optional<steady_clock::time_point> deadline;
    if (timeout) deadline = steady_clock::now() + *timeout;
    while (true) {
        auto received = receive_now(socket, limit, false);
        if (!received) return fail(std::move(received.error()));
        if (received->closed) return std::nullopt;
        if (received->message) return std::move(received->message);
        const int left = milliseconds_until(deadline);
        if (left == 0) {
            return fail(Error{.code = ErrorCode::timed_out, .operation = "receive", .object = "a message", .cause = "the time-out passed"});
        }
        pollfd polled{.fd = socket.get(), .events = POLLIN, .revents = 0};
        if (::poll(&polled, 1, left) < 0 && errno != EINTR) return fail(errno_error("receive", "a message", errno));
    }
}

}  // namespace steward::os
