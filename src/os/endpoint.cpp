#include "os/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace steward::os {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

bool is_number(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_address(int family, const std::string& text)
{
    in6_addr parsed{};
    return ::inet_pton(family, text.c_str(), &parsed) == 1;
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text)
{
    const auto colon = text.rfind(':');
    const auto port = parse_port(colon == std::string_view::npos ? text : text.substr(colon + 1));
    if (!port) return std::nullopt;
    std::string host(colon == std::string_view::npos ? "localhost" : text.substr(0, colon));
    if (host == "localhost") return Endpoint{.addresses = {"127.0.0.1", "::1"}, .port = *port};
    if (is_address(AF_INET, host)) return Endpoint{.addresses = {std::move(host)}, .port = *port};
    if (!host.starts_with('[') || !host.ends_with(']')) return std::nullopt;
    host = host.substr(1, host.size() - 2);
    if (!is_address(AF_INET6, host)) return std::nullopt;
    return Endpoint{.addresses = {std::move(host)}, .port = *port};
}

std::optional<HttpUrl> parse_http_url(std::string_view text)
{
    constexpr std::string_view scheme = "http://";
    const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
    if (!text.starts_with(scheme) || !plain || text.find('#') != std::string_view::npos) return std::nullopt;
    text.remove_prefix(scheme.size());
    const auto end = std::min(text.find_first_of("/?"), text.size());
    const std::string_view host = text.substr(0, end);
    const auto colon = host.rfind(':');
    const bool has_port = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
    // A port by itself is an endpoint, but no host.
    if (host.empty() || (!has_port && is_number(host))) return std::nullopt;
    auto endpoint = parse_endpoint(has_port ? std::string(host) : std::string(host) + ":80");
    if (!endpoint) return std::nullopt;
    std::string path(text.substr(end));
    if (!path.starts_with('/')) path.insert(path.begin(), '/');
    return HttpUrl{.endpoint = std::move(*endpoint), .host = std::string(host), .path = std::move(path)};
}

}  // namespace steward::os
