#include "os/datagram.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/error.hpp"
#include "os/file.hpp"

namespace steward::os {

Result<UniqueFd> connect_datagrams(const std::string& path)
{
    const auto failed = [&](int error) { return fail(errno_error("connect to", "the socket " + quoted(path), error)); };
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return failed(ENAMETOOLONG);
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return failed(errno);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return failed(errno);
    return socket;
}

Result<void> send_as_file(BorrowedFd socket, const std::string& name, std::span<const std::byte> message)
{
    const auto failed = [&](int error) {
        return fail(errno_error("send", "a message of " + std::to_string(message.size()) + " bytes", error));
    };
    const UniqueFd file(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) return failed(errno);
    if (auto written = write_at(file, message, 0); !written) return written;
    // Who reads it must know that it does not change under its eyes.
    if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) return failed(errno);
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr header{};
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* descriptor = CMSG_FIRSTHDR(&header);
    descriptor->cmsg_level = SOL_SOCKET;
    descriptor->cmsg_type = SCM_RIGHTS;
    descriptor->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = file.get();
    std::memcpy(CMSG_DATA(descriptor), &number, sizeof number);
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(socket.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? failed(errno) : Result<void>();
}

bool await_room(BorrowedFd socket, std::chrono::milliseconds patience)
{
    pollfd polled{.fd = socket.get(), .events = POLLOUT, .revents = 0};
    return ::poll(&polled, 1, static_cast<int>(patience.count())) == 1 && (polled.revents & POLLOUT) != 0;
}

}  // namespace steward::os
