#include "os/listen_address.hpp"

#include <gtest/gtest.h>

namespace steward::os {
namespace {

using Kind = ListenAddress::Kind;

TEST(ListenAddress, is_a_numeric_address_and_a_port_or_a_path)
{
    EXPECT_EQ(parse_listen_address("tcp://127.0.0.1:80"), (ListenAddress{.kind = Kind::tcp, .host = "127.0.0.1", .port = 80}));
    EXPECT_EQ(parse_listen_address("udp://[::1]:53"), (ListenAddress{.kind = Kind::udp, .host = "::1", .port = 53}));
    EXPECT_EQ(parse_listen_address("tcp://*:8080"), (ListenAddress{.kind = Kind::tcp, .host = "", .port = 8080}));
    EXPECT_EQ(parse_listen_address("tcp://[::]:8080"), (ListenAddress{.kind = Kind::tcp, .host = "::", .port = 8080}));
    EXPECT_EQ(parse_listen_address("unix:///run/a b"), (ListenAddress{.kind = Kind::unix_stream, .path = "/run/a b"}));
}

TEST(ListenAddress, is_nothing_else)
{
    for (const char* text : {"",
                             "80",
                             "tcp://",
                             "tcp://80",
                             "tcp://:80",
                             "tcp://*",
                             "tcp://*:",
                             "tcp://*:0",
                             "tcp://*:65536",
                             "tcp://*:*:80",
                             "tcp://*:[::1]:80",
                             "tcp://localhost:80",
                             "tcp://example.com:80",
                             "tcp://127.0.0.1",
                             "tcp://127.0.0.1:0",
                             "tcp://127.0.0.1:080x",
                             "tcp://127.1:80",
                             "tcp://::1:80",
                             "tcp://[::1%lo]:80",
                             "tcp://[127.0.0.1]:80",
                             "sctp://127.0.0.1:80",
                             "TCP://127.0.0.1:80",
                             "http://127.0.0.1:80",
                             "tcp:127.0.0.1:80"}) {
        EXPECT_FALSE(parse_listen_address(text)) << text;
    }
}

TEST(ListenAddress, is_written_as_it_is_read)
{
    for (const char* text : {"127.0.0.1:80", "[::1]:53", "*:8080"}) {
        EXPECT_EQ(parse_listen_address(std::string("tcp://") + text)->host_and_port(), text);
    }
}

}  // namespace
}  // namespace steward::os
