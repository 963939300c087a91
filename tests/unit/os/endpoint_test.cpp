#include "os/endpoint.hpp"

#include <gtest/gtest.h>

namespace steward::os {
namespace {

TEST(Endpoint, a_port_alone_and_localhost_mean_this_host_by_either_protocol)
{
    const Endpoint here{.addresses = {"127.0.0.1", "::1"}, .port = 8080};
    EXPECT_EQ(parse_endpoint("8080"), here);
    EXPECT_EQ(parse_endpoint("localhost:8080"), here);
}

TEST(Endpoint, an_address_is_taken_as_it_is)
{
    EXPECT_EQ(parse_endpoint("192.0.2.1:1"), (Endpoint{.addresses = {"192.0.2.1"}, .port = 1}));
    EXPECT_EQ(parse_endpoint("[2001:db8::1]:65535"), (Endpoint{.addresses = {"2001:db8::1"}, .port = 65535}));
}

TEST(Endpoint, anything_else_is_none)
{
    for (const char* text : {"",
                             "0",
                             "65536",
                             "-1",
                             "+1",
                             " 80",
                             "80 ",
                             "http",
                             "example.org:80",
                             "192.0.2.1",
                             "192.0.2.1:",
                             ":80",
                             "192.0.2:80x",
                             "2001:db8::1:80x",
                             "::1:80",
                             "[::1]",
                             "[::1]80",
                             "[192.0.2.1]:80",
                             "[::1:80",
                             "1.2.3.4.5:80"}) {
        EXPECT_EQ(parse_endpoint(text), std::nullopt) << text;
    }
}

TEST(HttpUrl, is_an_address_and_a_path)
{
    const Endpoint here{.addresses = {"127.0.0.1"}, .port = 8080};
    EXPECT_EQ(parse_http_url("http://127.0.0.1:8080/health?deep=1"),
              (HttpUrl{.endpoint = here, .host = "127.0.0.1:8080", .path = "/health?deep=1"}));
    EXPECT_EQ(parse_http_url("http://127.0.0.1:8080"), (HttpUrl{.endpoint = here, .host = "127.0.0.1:8080", .path = "/"}));
    EXPECT_EQ(parse_http_url("http://127.0.0.1:8080?a=b")->path, "/?a=b");
    EXPECT_EQ(parse_http_url("http://localhost/")->endpoint, (Endpoint{.addresses = {"127.0.0.1", "::1"}, .port = 80}));
    EXPECT_EQ(parse_http_url("http://[::1]/")->endpoint, (Endpoint{.addresses = {"::1"}, .port = 80}));
    EXPECT_EQ(parse_http_url("http://[::1]:81/")->endpoint.port, 81);
}

TEST(HttpUrl, anything_else_is_none)
{
    for (const char* text : {"", "http://", "http:///x", "https://localhost/", "http://example.org/", "http://user@localhost/",
                             "http://8080/", "http://localhost:/", "http://localhost:80/a b", "http://localhost/#part",
                             "http://localhost/\r\nX: y", "http://::1/", "localhost/", "http://localhost/\xc3\xbc"}) {
        EXPECT_EQ(parse_http_url(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace steward::os
