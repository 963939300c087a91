#include "os/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/stream_socket.hpp"
#include "test_child.hpp"

namespace steward::os {
namespace {

using Kind = ListenAddress::Kind;
using test::in_child;
using testing::HasSubstr;
using testing::SizeIs;

constexpr ListenOptions options{.backlog = 8, .mode = 0600};

ListenAddress unix_at(const std::string& path)
{
    return {.kind = Kind::unix_stream, .path = path};
}

// One that is free at this moment for a socket of this kind; below those that the kernel gives to outgoing connections.
std::uint16_t free_port(int type = SOCK_STREAM)
{
    constexpr int lowest = 10'000;
    constexpr int count = 20'000;
    for (int attempt = 0; attempt < count; ++attempt) {
        const auto port = static_cast<std::uint16_t>(lowest + (::getpid() * 131 + attempt) % count);
        const UniqueFd probe(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        if (::bind(probe.get(), reinterpret_cast<sockaddr*>(&in), sizeof in) == 0) return port;
    }
    return 0;
}

class Listening : public testing::Test {
  protected:
    test::ScratchDirectory scratch_;
    std::string path_ = scratch_ / "socket";
};

TEST_F(Listening, a_port_is_listened_on_and_known_again)
{
    const ListenAddress address{.kind = Kind::tcp, .host = "127.0.0.1", .port = free_port()};
    const auto made = listen_on(address, options);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_FALSE(made->file);
    EXPECT_TRUE(listens_on(made->socket, address));
    EXPECT_FALSE(listens_on(made->socket, {.kind = Kind::udp, .host = "127.0.0.1", .port = address.port}));
    EXPECT_FALSE(listens_on(made->socket, {.kind = Kind::tcp, .host = "127.0.0.2", .port = address.port}));
    EXPECT_FALSE(listens_on(made->socket, {.kind = Kind::tcp, .host = "", .port = address.port}));
    EXPECT_FALSE(listens_on(made->socket, unix_at(path_)));
    EXPECT_EQ(::fcntl(made->socket.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(made->socket.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(Listening, every_address_of_the_host_is_one_socket)
{
    const ListenAddress address{.kind = Kind::tcp, .host = "", .port = free_port()};
    const auto made = listen_on(address, options);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_TRUE(listens_on(made->socket, address));
    const auto by_ipv4 = begin_tcp_connection("127.0.0.1", address.port);
    ASSERT_TRUE(by_ipv4);
    EXPECT_GE(::accept(made->socket.get(), nullptr, nullptr), 0);
}

TEST_F(Listening, datagrams_are_received_and_nobody_else_can)
{
    const ListenAddress address{.kind = Kind::udp, .host = "127.0.0.1", .port = free_port(SOCK_DGRAM)};
    const auto made = listen_on(address, options);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_TRUE(listens_on(made->socket, address));
    const auto second = listen_on(address, options);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().os_errno, EADDRINUSE);
}

TEST_F(Listening, who_has_the_port_is_named)
{
    const ListenAddress address{.kind = Kind::tcp, .host = "127.0.0.1", .port = free_port()};
    const auto made = listen_on(address, options);
    ASSERT_TRUE(made);
    const auto second = listen_on(address, options);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message(),
                HasSubstr("cannot listen on 127.0.0.1:" + std::to_string(address.port) + ": PID " + std::to_string(::getpid()) + " ("));
}

TEST_F(Listening, an_address_of_another_host_is_told)
{
    const auto made = listen_on({.kind = Kind::tcp, .host = "192.0.2.1", .port = free_port()}, options);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().cause, "this host has no such address");
}

TEST_F(Listening, a_unix_socket_has_its_mode_whatever_the_umask)
{
    for (const unsigned mode : {0666U, 0620U, 0600U}) {
        const mode_t before = ::umask(077);
        const auto made = listen_on(unix_at(path_), {.backlog = 8, .mode = mode});
        EXPECT_EQ(::umask(before), 077U);
        ASSERT_TRUE(made) << made.error().message();
        EXPECT_TRUE(listens_on(made->socket, unix_at(path_)));
        EXPECT_EQ((*info_at(path_))->mode, mode);
        ASSERT_TRUE(made->file);
        remove_socket_file(path_, *made->file);
        EXPECT_FALSE(*info_at(path_));
    }
}

TEST_F(Listening, a_unix_socket_is_given_to_its_owner)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
    const auto made = listen_on(unix_at(path_), {.backlog = 8, .mode = 0600, .owner = Owner{.uid = 65534, .gid = 65534}});
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ((*info_at(path_))->uid, 65534U);
    EXPECT_EQ((*info_at(path_))->gid, 65534U);
}

TEST_F(Listening, a_socket_that_was_left_behind_is_replaced_and_a_living_one_is_not)
{
    {
        auto left = listen_on(unix_at(path_), options);
        ASSERT_TRUE(left);
    }
    const auto made = listen_on(unix_at(path_), options);
    ASSERT_TRUE(made) << made.error().message();
    const auto second = listen_on(unix_at(path_), options);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().os_errno, EADDRINUSE);
    EXPECT_THAT(second.error().cause, HasSubstr("PID " + std::to_string(::getpid()) + " ("));
}

TEST_F(Listening, nothing_else_is_replaced)
{
    scratch_.write("socket", "mine");
    EXPECT_FALSE(listen_on(unix_at(path_), options));
    EXPECT_EQ(test::content_of(path_), "mine");
    ASSERT_EQ(::unlink(path_.c_str()), 0);
    ASSERT_EQ(::symlink((scratch_ / "elsewhere").c_str(), path_.c_str()), 0);
    EXPECT_FALSE(listen_on(unix_at(path_), options));
    EXPECT_FALSE(*info_at(scratch_ / "elsewhere"));
}

TEST_F(Listening, a_path_that_another_user_can_lead_astray_is_bound_below_what_was_held)
{
    ASSERT_EQ(::mkdir((scratch_ / "open").c_str(), 0700), 0);
    ASSERT_EQ(::chmod((scratch_ / "open").c_str(), 01777), 0);
    const auto address = unix_at(scratch_ / "open" + "/socket");
    const auto made = listen_on(address, options);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_TRUE(listens_on(made->socket, address));
    EXPECT_TRUE(try_unix_connection(address.path));
}

TEST_F(Listening, another_socket_in_its_place_is_not_removed)
{
    auto first = listen_on(unix_at(path_), options);
    ASSERT_TRUE(first && first->file);
    // Held, so that its inode is nobody else's.
    ASSERT_EQ(::rename(path_.c_str(), (scratch_ / "aside").c_str()), 0);
    const auto second = listen_on(unix_at(path_), options);
    ASSERT_TRUE(second);
    remove_socket_file(path_, *first->file);
    EXPECT_TRUE(*info_at(path_));
    EXPECT_FALSE(socket_file_at(scratch_ / "nowhere"));
    EXPECT_FALSE(socket_file_at(scratch_.path()));
}

TEST_F(Listening, what_another_process_holds_can_be_had_from_it)
{
    const auto address = unix_at(path_);
    test::Meeting ready;
    test::TestChild child([&] {
        const auto made = listen_on(address, options);
        ready.tell(made ? 1 : 0);
        test::pause_for_ever();
        return 0;
    });
    ASSERT_EQ(ready.hear(), 1);
    const auto process = ProcessRef::open_pid(child.pid());
    ASSERT_TRUE(process && *process);
    const auto found = listeners_of(**process);
    if (found.empty()) GTEST_SKIP() << "this kernel, or its rules, do not allow it";
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_TRUE(listens_on(found.front(), address));
    EXPECT_NE(::fcntl(found.front().get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(Listening, what_this_process_was_given_is_taken_once)
{
    EXPECT_EQ(in_child([&] {
                  const auto made = listen_on(unix_at(path_), options);
                  if (!made || ::dup2(made->socket.get(), 3) != 3) return 1;
                  // A file at 4 is not one of them, nor is what is behind it missing.
                  if (::open("/dev/null", O_RDONLY) < 0) return 2;
                  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
                  ::setenv("LISTEN_FDS", "1000000", 1);
                  auto received = received_listeners();
                  if (received.size() > 2 || received.empty() || received.front().get() != 3) return 3;
                  if ((::fcntl(3, F_GETFD) & FD_CLOEXEC) == 0) return 4;
                  if (std::getenv("LISTEN_FDS") != nullptr || !received_listeners().empty()) return 5;
                  ::setenv("LISTEN_PID", std::to_string(::getppid()).c_str(), 1);
                  ::setenv("LISTEN_FDS", "1", 1);
                  return received_listeners().empty() ? 0 : 6;
              }),
              0);
}

}  // namespace
}  // namespace steward::os
