#include "os/notify.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "os/error.hpp"
#include "os/fd.hpp"

namespace steward::os {

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

}  // namespace steward::os
