#include "os/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <gtest/gtest.h>

#include "os/fd.hpp"

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

}  // namespace
}  // namespace steward::os
