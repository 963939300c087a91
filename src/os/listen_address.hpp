// Where a socket listens, as it is written: "tcp://127.0.0.1:8080", "udp://[::1]:53", "tcp://*:80", "unix:///run/web/socket".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steward::os {

struct ListenAddress {
    enum class Kind { tcp, udp, unix_stream };
    Kind kind = Kind::tcp;
    std::string host;  // a numeric address; empty: every address of this host, by IPv6 and IPv4
    std::uint16_t port = 0;
    std::string path;  // with unix_stream

    [[nodiscard]] bool is_unix() const { return kind == Kind::unix_stream; }
    [[nodiscard]] std::string host_and_port() const;  // "127.0.0.1:8080", "[::1]:53", "*:80"
    friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// No name is looked up: an address that a name server gives may be another one tomorrow. Unset for anything else.
[[nodiscard]] std::optional<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace steward::os
