#include "os/message_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/file.hpp"
#include "test_child.hpp"

namespace steward::os {
namespace {

using std::chrono::milliseconds;

std::vector<std::byte> bytes(std::string_view text)
{
    std::vector<std::byte> result(text.size());
    std::memcpy(result.data(), text.data(), text.size());
    return result;
}

UniqueFd open_directory(const std::string& path)
{
    auto directory = open_following(path, {.read = true, .directory = true});
    if (!directory) std::abort();
    return std::move(*directory);
}

class MessageSocketTest : public testing::Test {
  protected:
    MessageSocketTest() : directory(open_directory(scratch.path()))
    {
        auto made = make_message_pair();
        if (!made) std::abort();
        pair = std::move(*made);
    }
    test::ScratchDirectory scratch;
    UniqueFd directory;
    Pipe pair;  // both ends read and write
};

TEST_F(MessageSocketTest, messages_keep_their_borders)
{
    ASSERT_TRUE(send_message(pair.write, bytes("stop")));
    ASSERT_TRUE(send_message(pair.write, bytes("start")));
    for (const char* expected : {"stop", "start"}) {
        const auto received = receive_message(pair.read, 64, milliseconds(0));
        ASSERT_TRUE(received && *received);
        EXPECT_EQ(**received, bytes(expected));
    }
}

TEST_F(MessageSocketTest, a_message_above_the_limit_is_refused_and_the_next_is_whole)
{
    ASSERT_TRUE(send_message(pair.write, bytes("12345")));
    ASSERT_TRUE(send_message(pair.write, bytes("1234")));
    const auto too_long = receive_message(pair.read, 4, milliseconds(0));
    ASSERT_FALSE(too_long);
    EXPECT_EQ(too_long.error().os_errno, EMSGSIZE);
    const auto next = receive_message(pair.read, 4, milliseconds(0));
    ASSERT_TRUE(next && *next);
    EXPECT_EQ(**next, bytes("1234"));
}

TEST_F(MessageSocketTest, silence_is_timed_out)
{
    const auto received = receive_message(pair.read, 64, milliseconds(1));
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().code, ErrorCode::timed_out);
}

TEST_F(MessageSocketTest, a_closed_peer_is_no_message_after_what_it_had_sent)
{
    ASSERT_TRUE(send_message(pair.write, bytes("last")));
    pair.write.reset();
    const auto last = receive_message(pair.read, 64, {});
    ASSERT_TRUE(last && *last);
    const auto closed = receive_message(pair.read, 64, {});
    ASSERT_TRUE(closed);
    EXPECT_FALSE(closed->has_value());
}

TEST_F(MessageSocketTest, a_peer_that_closed_with_our_message_unread_is_a_closed_peer)
{
    ASSERT_TRUE(send_message(pair.read, bytes("unread")));
    pair.write.reset();
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto closed = receive_message(pair.read, 64, {});
        ASSERT_TRUE(closed) << closed.error().message();
        EXPECT_FALSE(closed->has_value());
    }
}

TEST_F(MessageSocketTest, sending_to_a_closed_peer_is_an_error_and_no_signal)
{
    pair.read.reset();
    const auto sent = send_message(pair.write, bytes("x"));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().os_errno, EPIPE);
}

TEST_F(MessageSocketTest, an_empty_message_is_refused)
{
    const auto sent = send_message(pair.write, {});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, ErrorCode::invalid_argument);
}

TEST_F(MessageSocketTest, a_peek_leaves_the_message)
{
    const auto nothing = receive_now(pair.read, 64, true);
    ASSERT_TRUE(nothing);
    EXPECT_FALSE(nothing->message || nothing->closed);
    ASSERT_TRUE(send_message(pair.write, bytes("look")));
    for (const bool peek : {true, true, false}) {
        const auto peeked = receive_now(pair.read, 64, peek);
        ASSERT_TRUE(peeked && peeked->message);
        EXPECT_EQ(*peeked->message, bytes("look"));
    }
    pair.write.reset();
    const auto closed = receive_now(pair.read, 64, false);
    ASSERT_TRUE(closed);
    EXPECT_TRUE(closed->closed);
}

TEST_F(MessageSocketTest, descriptors_that_come_along_are_dropped)
{
    char control[CMSG_SPACE(sizeof(int))] = {};
    char data = 'x';
    iovec part{.iov_base = &data, .iov_len = 1};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int passed = 0;
    std::memcpy(CMSG_DATA(header), &passed, sizeof passed);
    ASSERT_EQ(::sendmsg(pair.write.get(), &message, 0), 1);

    const int next = UniqueFd(::dup(0)).get();
    ASSERT_TRUE(receive_message(pair.read, 64, {}));
    EXPECT_EQ(UniqueFd(::dup(0)).get(), next);
}

TEST_F(MessageSocketTest, a_client_reaches_the_listener_and_each_knows_the_other)
{
    const auto listener = listen_messages(directory, "control", 0600);
    ASSERT_TRUE(listener) << listener.error().message();
    const auto nobody = accept_messages(*listener);
    ASSERT_TRUE(nobody);
    EXPECT_FALSE(nobody->has_value());

    const test::TestChild client([&] {
        const auto socket = connect_messages(directory, "control");
        if (!socket || !send_message(*socket, bytes("hello"))) return 1;
        const auto answer = receive_message(*socket, 64, {});
        return answer && *answer && **answer == bytes("welcome") ? 0 : 2;
    });
    std::optional<UniqueFd> accepted;
    while (!accepted) {  // the listener does not block
        auto result = accept_messages(*listener);
        ASSERT_TRUE(result);
        accepted = std::move(*result);
        sched_yield();
    }
    const auto peer = peer_of(*accepted);
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->pid, client.pid());
    EXPECT_EQ(peer->uid, geteuid());
    EXPECT_EQ(peer->gid, getegid());
    const auto received = receive_message(*accepted, 64, {});
    ASSERT_TRUE(received && *received);
    EXPECT_EQ(**received, bytes("hello"));
    ASSERT_TRUE(send_message(*accepted, bytes("welcome")));
    siginfo_t ended = {};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(client.pid()), &ended, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(ended.si_status, 0);
}

TEST_F(MessageSocketTest, a_peer_that_dropped_its_privileges_is_who_it_was_when_it_connected_as)
{
    if (getuid() != 0) GTEST_SKIP() << "needs another user";
    const auto listener = listen_messages(directory, "control", 0666);
    ASSERT_TRUE(listener);
    ASSERT_EQ(::chmod(scratch.path().c_str(), 0755), 0);
    EXPECT_EQ(test::in_child([&] {
                  if (!test::become_nobody()) return 1;
                  return connect_messages(directory, "control") ? 0 : 2;
              }),
              0);
    const auto accepted = accept_messages(*listener);
    ASSERT_TRUE(accepted && *accepted);
    const auto peer = peer_of(**accepted);
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->uid, 65534U);
}

TEST_F(MessageSocketTest, the_socket_s_mode_keeps_others_out_from_its_birth)
{
    const mode_t before = ::umask(0);
    const auto listener = listen_messages(directory, "control", 0600);
    EXPECT_EQ(::umask(before), 0U) << "the mask is as it was";
    ASSERT_TRUE(listener);
    const auto file = info_at(scratch / "control");
    ASSERT_TRUE(file && *file);
    EXPECT_EQ((*file)->kind, FileInfo::Kind::socket);
    EXPECT_EQ((*file)->mode, 0600U);
    if (getuid() != 0) return;
    ASSERT_EQ(::chmod(scratch.path().c_str(), 0755), 0);
    EXPECT_EQ(test::in_child([&] {
                  if (!test::become_nobody()) return 1;
                  const auto refused = connect_messages(directory, "control");
                  return !refused && refused.error().code == ErrorCode::not_permitted ? 0 : 2;
              }),
              0);
}

TEST_F(MessageSocketTest, a_directory_of_any_length_will_do)
{
    std::string deep = scratch.path();
    for (int level = 0; level < 5; ++level) deep += "/" + std::string(100, 'd');
    std::filesystem::create_directories(deep);
    const UniqueFd deep_directory = open_directory(deep);
    const auto listener = listen_messages(deep_directory, "control", 0600);
    ASSERT_TRUE(listener) << listener.error().message();
    EXPECT_TRUE(connect_messages(deep_directory, "control"));
}

TEST_F(MessageSocketTest, a_name_that_does_not_fit_is_refused)
{
    for (const std::string& name : {std::string(100, 'n'), std::string(), std::string("a/b")}) {
        EXPECT_FALSE(listen_messages(directory, name, 0600)) << name;
        EXPECT_FALSE(connect_messages(directory, name)) << name;
    }
}

TEST_F(MessageSocketTest, a_socket_left_behind_is_replaced)
{
    {
        ASSERT_TRUE(listen_messages(directory, "control", 0600));
    }
    const auto refused = connect_messages(directory, "control");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::not_running);
    const auto listener = listen_messages(directory, "control", 0600);
    ASSERT_TRUE(listener);
    EXPECT_TRUE(connect_messages(directory, "control"));
}

TEST_F(MessageSocketTest, a_file_that_is_no_socket_is_left_alone)
{
    const std::string path = scratch.write("control", "precious");
    const auto listener = listen_messages(directory, "control", 0600);
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().os_errno, EEXIST);
    EXPECT_EQ(test::content_of(path), "precious");
}

TEST_F(MessageSocketTest, where_nothing_listens_is_not_running)
{
    const auto socket = connect_messages(directory, "control");
    ASSERT_FALSE(socket);
    EXPECT_EQ(socket.error().code, ErrorCode::not_running);
}

TEST(MessagePair, sending_now_does_not_wait_for_a_peer_that_does_not_read)
{
    const auto pair = make_message_pair();
    ASSERT_TRUE(pair);
    const std::vector<std::byte> message(100, std::byte{1});
    Result<void> sent;
    for (int count = 0; sent && count < 1'000'000; ++count) sent = send_message_now(pair->write, message);
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().os_errno, EAGAIN);
    ASSERT_TRUE(receive_message(pair->read, 1000, std::nullopt));
    EXPECT_TRUE(send_message_now(pair->write, message));
}

}  // namespace
}  // namespace steward::os
