#include "init/sockets.hpp"

#include <algorithm>

#include "init/quote.hpp"
#include "os/listen_address.hpp"

namespace steward::init {

namespace {

constexpr const char* one_for_all = "is not the same for all, and systemd has one for all sockets of a unit";

// Whether what `of` says is the same of all sockets that it means something to.
template <class Value>
bool is_common(const ServiceSpec& spec, bool (*means_something)(const Socket&), Value of)
{
    const Socket* first = nullptr;
    for (const Socket& socket : spec.sockets) {
        if (!means_something(socket)) continue;
        if (first != nullptr && of(*first) != of(socket)) return false;
        first = &socket;
    }
    return true;
}

bool any(const Socket&)
{
    return true;
}

bool is_unix(const Socket& socket)
{
    return socket.listen.starts_with("unix:");
}

bool has_backlog(const Socket& socket)
{
    return !socket.listen.starts_with("udp:");
}

// systemd removes it when the service stops, and with it the socket that is to stay over a restart.
bool is_in_runtime_directory(const ServiceSpec& spec, const std::string& path)
{
    return std::ranges::any_of(spec.directories.runtime, [&](const std::string& name) {
        return path.starts_with("/run/" + name + "/") || path.starts_with("/var/run/" + name + "/");
    });
}

std::string listen_line(const os::ListenAddress& address)
{
    if (address.is_unix()) return "ListenStream=" + systemd_line(address.path);
    const char* setting = address.kind == os::ListenAddress::Kind::udp ? "ListenDatagram=" : "ListenStream=";
    return setting + (address.host.empty() ? std::to_string(address.port) : address.host_and_port());
}

}  // namespace

std::string doubt_socket_name(const ServiceSpec& spec, InitSystem)
{
    return is_common(spec, any, [&](const Socket& socket) { return spec.name_of(socket); }) ? "" : one_for_all;
}

std::string doubt_listen(const ServiceSpec& spec, InitSystem)
{
    for (const Socket& socket : spec.sockets) {
        const auto address = os::parse_listen_address(socket.listen);
        if (!address) return "is no address";
        if (!address->is_unix()) continue;
        if (!is_systemd_line(address->path)) return "begins or ends in a way that systemd would not keep";
        if (is_in_runtime_directory(spec, address->path)) return "is in a runtime directory, which systemd removes at each stop";
    }
    return {};
}

std::string doubt_backlog(const ServiceSpec& spec, InitSystem)
{
    return is_common(spec, has_backlog, [](const Socket& socket) { return socket.backlog; }) ? "" : one_for_all;
}

std::string doubt_socket_mode(const ServiceSpec& spec, InitSystem)
{
    return is_common(spec, is_unix, [](const Socket& socket) { return socket.mode; }) ? "" : one_for_all;
}

bool has_socket_unit(const ServiceSpec& spec)
{
    if (spec.sockets.empty()) return false;
    for (const auto doubt : {doubt_socket_name, doubt_listen, doubt_backlog, doubt_socket_mode}) {
        if (!doubt(spec, InitSystem::systemd).empty()) return false;
    }
    return true;
}

Lines socket_lines(const Request& request)
{
    const ServiceSpec& spec = request.spec;
    Lines lines;
    for (const Socket& socket : spec.sockets) {
        if (const auto address = os::parse_listen_address(socket.listen)) lines.push_back(listen_line(*address));
    }
    lines.push_back("FileDescriptorName=" + spec.name_of(spec.sockets.front()));
    const auto listening = std::ranges::find_if(spec.sockets, has_backlog);
    if (request.writes("socket.backlog") && listening != spec.sockets.end())
        lines.push_back("Backlog=" + std::to_string(listening->backlog));
    const auto file = std::ranges::find_if(spec.sockets, is_unix);
    if (file == spec.sockets.end()) return lines;
    lines.push_back("SocketMode=" + octal(file->mode));
    if (request.writes("service.user")) lines.push_back("SocketUser=" + systemd_line(spec.service.user));
    if (request.writes("service.group")) lines.push_back("SocketGroup=" + systemd_line(spec.service.group));
    lines.emplace_back("RemoveOnStop=yes");
    return lines;
}

}  // namespace steward::init
