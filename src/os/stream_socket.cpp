#include "os/stream_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "os/error.hpp"

namespace steward::os {

namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

Address address_of(const std::string& text, std::uint16_t port)
{
    Address address;
    sockaddr_in four{};
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        address.size = sizeof four;
        std::memcpy(&address.storage, &four, sizeof four);
    } else if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        address.size = sizeof six;
        std::memcpy(&address.storage, &six, sizeof six);
    }
    return address;
}

// 0 or an errno.
int connect_now(BorrowedFd socket, const void* address, socklen_t size)
{
    int result = 0;
    do {
        result = ::connect(socket.get(), static_cast<const sockaddr*>(address), size);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

}  // namespace

Result<UniqueFd> begin_tcp_connection(const std::string& address, std::uint16_t port)
{
    const std::string object = address + " port " + std::to_string(port);
    const Address target = address_of(address, port);
    if (target.size == 0) return fail(errno_error("connect to", object, EINVAL));
    UniqueFd socket(::socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return fail(errno_error("make", "a socket", errno));
    const int error = connect_now(socket, &target.storage, target.size);
    if (error != 0 && error != EINPROGRESS) return fail(errno_error("connect to", object, error));
    return socket;
}

Result<void> try_unix_connection(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return fail(errno_error("connect to", quoted(path), ENAMETOOLONG));
    std::memcpy(address.sun_path, path.data(), path.size());
    int error = EPROTOTYPE;
    for (const int kind : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
        const UniqueFd socket(::socket(AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!socket) return fail(errno_error("make", "a socket", errno));
        error = connect_now(socket, &address, sizeof address);
        if (error != EPROTOTYPE) break;
    }
    // EAGAIN: its queue is full, so somebody listens.
    if (error != 0 && error != EAGAIN) return fail(errno_error("connect to", quoted(path), error));
    return {};
}

Result<void> connection_outcome(BorrowedFd socket)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return fail(errno_error("connect", "", error));
    return {};
}

Result<std::size_t> send_now(BorrowedFd socket, std::span<const std::byte> bytes)
{
    ssize_t sent = 0;
    do {
        sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN) return std::size_t{0};
    return fail(errno_error("send", "a request", errno));
}

}  // namespace steward::os
