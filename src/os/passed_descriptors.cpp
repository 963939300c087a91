#include "os/passed_descriptors.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/deadline.hpp"
#include "os/error.hpp"

namespace steward::os {

namespace {

constexpr std::size_t room = CMSG_SPACE(sizeof(int) * most_passed);

std::vector<UniqueFd> descriptors_in(msghdr& message)
{
    std::vector<UniqueFd> found;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            found.emplace_back(fd);
        }
    }
    return found;
}

}  // namespace

Result<void> send_descriptors(BorrowedFd socket, std::span<const std::byte> message, std::span<const BorrowedFd> descriptors)
{
    if (descriptors.size() > most_passed || message.empty()) return fail(errno_error("send", "descriptors", EINVAL));
    alignas(cmsghdr) std::array<char, room> control{};
    std::vector<std::byte> bytes(message.begin(), message.end());
    iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
        for (std::size_t i = 0; i < descriptors.size(); ++i) {
            const int fd = descriptors[i].get();
            std::memcpy(CMSG_DATA(rights) + i * sizeof fd, &fd, sizeof fd);
        }
    }
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(socket.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return fail(errno_error("send", "descriptors", errno));
    return {};
}

Result<WithDescriptors> receive_descriptors(BorrowedFd socket, std::size_t limit, std::chrono::milliseconds timeout)
{
    const std::optional deadline(std::chrono::steady_clock::now() + timeout);
    std::vector<std::byte> bytes(limit);
    for (;;) {
        alignas(cmsghdr) std::array<char, room> control{};
        iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const ssize_t size = ::recvmsg(socket.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (size >= 0) {
            bytes.resize(static_cast<std::size_t>(size));
            return WithDescriptors{.message = std::move(bytes), .descriptors = descriptors_in(header)};
        }
        if (errno != EAGAIN && errno != EINTR) return fail(errno_error("receive", "descriptors", errno));
        const int left = milliseconds_until(deadline);
        if (left == 0) return fail(errno_error("receive", "descriptors", ETIMEDOUT));
        pollfd polled{.fd = socket.get(), .events = POLLIN, .revents = 0};
        if (::poll(&polled, 1, left) < 0 && errno != EINTR) return fail(errno_error("receive", "descriptors", errno));
    }
}

}  // namespace steward::os
