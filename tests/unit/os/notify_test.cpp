#include "os/notify.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <gtest/gtest.h>

#include "helpers/scratch.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"

namespace steward::os {
namespace {

TEST(Notify, a_message_goes_to_an_abstract_name)
{
    const std::string name = "steward-notify-test-" + std::to_string(::getpid());
    const UniqueFd receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_TRUE(send_notification("@" + name, "READY=1"));
    char bytes[64];
    ASSERT_EQ(::recv(receiver.get(), bytes, sizeof bytes, MSG_DONTWAIT), 7);
    EXPECT_EQ(std::string_view(bytes, 7), "READY=1");
}

TEST(Notify, nobody_there_is_an_error)
{
    EXPECT_EQ(send_notification("/nonexistent/notify", "READY=1").error().os_errno, ENOENT);
}

TEST(Notify, an_address_of_another_kind_is_an_error)
{
    for (const std::string& address :
         {std::string(), std::string("/"), std::string("relative"), std::string("vsock:2:1234"), std::string(200, '/')}) {
        EXPECT_EQ(send_notification(address, "READY=1").error().os_errno, EINVAL) << address;
    }
}

TEST(Notify, a_listener_hears_who_said_what)
{
    const auto listener = listen_to_notifications();
    ASSERT_TRUE(listener);
    EXPECT_FALSE(*receive_notification(listener->socket, Take::take));
    ASSERT_TRUE(send_notification(listener->address, "READY=1"));
    for (const Take take : {Take::look, Take::take}) {
        const auto heard = receive_notification(listener->socket, take);
        ASSERT_TRUE(heard && *heard);
        EXPECT_EQ((*heard)->text, "READY=1");
        EXPECT_EQ((*heard)->sender, ::getpid());
        EXPECT_TRUE((*heard)->whole && !(*heard)->with_descriptors);
    }
    EXPECT_FALSE(*receive_notification(listener->socket, Take::take));
}

TEST(Notify, a_listener_with_a_name_takes_the_place_of_an_older_one_and_lets_anybody_write)
{
    const test::ScratchDirectory scratch;
    const auto directory = open_following(scratch.path(), {.directory = true, .path_only = true});
    ASSERT_TRUE(directory);
    const auto first = listen_to_notifications(*directory, "notify");
    const auto second = listen_to_notifications(*directory, "notify");
    ASSERT_TRUE(first && second);
    struct stat found = {};
    ASSERT_EQ(::stat((scratch / "notify").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0777U);
    ASSERT_TRUE(send_notification(scratch / "notify", "STATUS=" + std::string(notification_limit, 'x')));
    EXPECT_FALSE(*receive_notification(*first, Take::take));
    const auto heard = receive_notification(*second, Take::take);
    ASSERT_TRUE(heard && *heard);
    EXPECT_FALSE((*heard)->whole);
}

TEST(Notify, descriptors_that_come_along_are_closed)
{
    const auto listener = listen_to_notifications();
    ASSERT_TRUE(listener);
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    const UniqueFd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, listener->address.data() + 1, listener->address.size() - 1);
    char text[] = "BARRIER=1";
    iovec part{.iov_base = text, .iov_len = sizeof text - 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_name = &address;
    message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + listener->address.size());
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int end = pipe->write.get();
    std::memcpy(CMSG_DATA(header), &end, sizeof end);
    ASSERT_GT(::sendmsg(sender.get(), &message, 0), 0);
    pipe->write.reset();
    EXPECT_TRUE((**receive_notification(listener->socket, Take::look)).with_descriptors);
    EXPECT_TRUE((**receive_notification(listener->socket, Take::take)).with_descriptors);
    std::array<std::byte, 8> bytes{};
    EXPECT_EQ(*read_some(pipe->read, bytes), 0U) << "somebody still holds the other end";
}

}  // namespace
}  // namespace steward::os
