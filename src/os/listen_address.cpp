#include "os/listen_address.hpp"

#include "os/endpoint.hpp"

namespace steward::os {

std::string ListenAddress::host_and_port() const
{
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return (host.empty() ? "*" : is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<ListenAddress> parse_listen_address(std::string_view text)
{
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos) return std::nullopt;
    const std::string_view kind = text.substr(0, scheme);
    const std::string_view where = text.substr(scheme + 3);
    if (kind == "unix") return ListenAddress{.kind = ListenAddress::Kind::unix_stream, .path = std::string(where)};
    if (kind != "tcp" && kind != "udp") return std::nullopt;
    ListenAddress address{.kind = kind == "tcp" ? ListenAddress::Kind::tcp : ListenAddress::Kind::udp};
    const bool everywhere = where.starts_with("*:");
    // A port alone could mean this host or every address of it.
    if (where.find(':') == std::string_view::npos) return std::nullopt;
    const auto endpoint = parse_endpoint(everywhere ? where.substr(2) : where);
    if (!endpoint || where.starts_with("localhost")) return std::nullopt;
    if (everywhere && where.find(':', 2) != std::string_view::npos) return std::nullopt;
    if (!everywhere) address.host = endpoint->addresses.front();
    address.port = endpoint->port;
    return address;
}

}  // namespace steward::os
