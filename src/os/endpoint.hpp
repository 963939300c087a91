// Where a connection goes: an address and a port, as numbers. No name is looked up, for that may block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steward::os {

struct Endpoint {
    std::vector<std::string> addresses;  // to be tried in this order; more than one for "localhost"
    std::uint16_t port = 0;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "8080" and "localhost:8080" (both of this host), "192.0.2.1:80", "[2001:db8::1]:80". Unset for anything else.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

struct HttpUrl {
    Endpoint endpoint;
    std::string host;  // as written, with its port: for the request's Host
    std::string path;  // with its query; "/" when there is none
    friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};
// "http://localhost:8080/health", "http://[::1]/": an address as above, port 80 if none is written. No user, no fragment, and nothing that
// would have to be encoded.
[[nodiscard]] std::optional<HttpUrl> parse_http_url(std::string_view text);

}  // namespace steward::os
