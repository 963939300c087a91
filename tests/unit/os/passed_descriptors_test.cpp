#include "os/passed_descriptors.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "os/message_socket.hpp"

namespace steward::os {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::byte, 2> word{std::byte{1}, std::byte{2}};

TEST(PassedDescriptors, arrive_in_order_beside_the_message)
{
    auto channel = make_message_pair();
    auto pipe = make_pipe();
    ASSERT_TRUE(channel && pipe);
    const std::array<BorrowedFd, 2> sent{pipe->write.borrow(), pipe->read.borrow()};
    ASSERT_TRUE(send_descriptors(channel->write, word, sent));
    const auto received = receive_descriptors(channel->read, 100, 10s);
    ASSERT_TRUE(received) << received.error().message();
    EXPECT_EQ(received->message, std::vector<std::byte>(word.begin(), word.end()));
    ASSERT_EQ(received->descriptors.size(), 2U);
    EXPECT_NE(fcntl(received->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
    ASSERT_TRUE(write_all(received->descriptors[0], "x"));
    std::array<std::byte, 1> byte{};
    EXPECT_EQ(*read_some(received->descriptors[1], byte), 1U);
}

TEST(PassedDescriptors, may_be_none)
{
    auto channel = make_message_pair();
    ASSERT_TRUE(channel);
    ASSERT_TRUE(send_descriptors(channel->write, word, {}));
    const auto received = receive_descriptors(channel->read, 100, 10s);
    ASSERT_TRUE(received);
    EXPECT_TRUE(received->descriptors.empty());
    EXPECT_EQ(received->message.size(), word.size());
}

TEST(PassedDescriptors, of_a_peer_that_has_gone_are_none_and_of_a_silent_one_a_time_out)
{
    auto channel = make_message_pair();
    ASSERT_TRUE(channel);
    const auto late = receive_descriptors(channel->read, 100, 1ms);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().os_errno, ETIMEDOUT);
    channel->write.reset();
    const auto gone = receive_descriptors(channel->read, 100, 10s);
    ASSERT_TRUE(gone);
    EXPECT_TRUE(gone->message.empty());
    EXPECT_FALSE(send_descriptors(channel->read, word, {}));
}

}  // namespace
}  // namespace steward::os
