#include "os/notify.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "os/error.hpp"

namespace steward::os {

namespace {

Result<UniqueFd> make_listener()
{
    UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return fail(errno_error("make", "a socket", errno));
    const int on = 1;
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) return fail(errno_error("make", "a socket", errno));
    return socket;
}

void close_all(const cmsghdr& header)
{
    const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(&header) + i * sizeof fd, sizeof fd);
        const UniqueFd closes(fd);
    }
}

}  // namespace

Result<void> send_notification(const std::string& address, std::string_view message)
{
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    const bool known = address.starts_with('/') || address.starts_with('@');
    if (!known || address.size() < 2 || address.size() >= sizeof to.sun_path) {
        return fail(errno_error("notify", quoted(address), EINVAL));
    }
    std::memcpy(to.sun_path, address.data(), address.size());
    if (address.front() == '@') to.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return fail(errno_error("make", "a socket", errno));
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience));
    ssize_t sent = 0;
    do {
        sent = ::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return fail(errno_error("notify", quoted(address), errno));
    return {};
}

Result<UniqueFd> listen_to_notifications(BorrowedFd directory, const std::string& name)
{
    const auto failed = [&](int error) { return fail(errno_error("listen on", "the socket " + quoted(name), error)); };
    auto socket = make_listener();
    if (!socket) return socket;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + name;
    if (path.size() >= sizeof address.sun_path) return failed(ENAMETOOLONG);
    std::memcpy(address.sun_path, path.data(), path.size());
    struct stat there = {};
    if (::fstatat(directory.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!S_ISSOCK(there.st_mode)) return failed(EEXIST);
        if (::unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT) return failed(errno);
    }
    // Whoever the service's processes are: what counts is who the kernel says that they are.
    const mode_t old_mask = ::umask(0);
    const int error = ::bind(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
    ::umask(old_mask);
    if (error != 0) return failed(error);
    return socket;
}

Result<NamelessListener> listen_to_notifications()
{
    auto socket = make_listener();
    if (!socket) return fail(socket.error());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t size = sizeof address;
    if (::bind(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0 ||
        ::getsockname(socket->get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return fail(errno_error("listen on", "a socket", errno));
    }
    const std::size_t length = size - offsetof(sockaddr_un, sun_path);
    return NamelessListener{.socket = std::move(*socket), .address = "@" + std::string(address.sun_path + 1, length - 1)};
}

Result<std::optional<Notification>> receive_notification(BorrowedFd socket, Take take)
{
    std::array<char, notification_limit> bytes{};
    constexpr std::size_t most_descriptors = 253;  // SCM_MAX_FD
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * most_descriptors)> control{};
    iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t size = 0;
    do {
        size = ::recvmsg(socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | (take == Take::look ? MSG_PEEK : 0));
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN) return std::optional<Notification>();
    if (size < 0) return fail(errno_error("read from", "a notify socket", errno));
    Notification notification;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_CREDENTIALS && header->cmsg_len >= CMSG_LEN(sizeof(ucred))) {
            ucred sender{};
            std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
            notification.sender = sender.pid;
        }
        if (header->cmsg_type == SCM_RIGHTS) {
            notification.with_descriptors = true;
            close_all(*header);
        }
    }
    notification.text.assign(bytes.data(), static_cast<std::size_t>(size));
    notification.whole = (message.msg_flags & MSG_TRUNC) == 0;
    return std::optional(std::move(notification));
}

}  // namespace steward::os
