#include "os/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "os/error.hpp"
#include "os/stream_socket.hpp"
#include "os/trust.hpp"

namespace steward::os {

namespace {

using Kind = ListenAddress::Kind;

// An address as the kernel takes it.
struct Bound {
    sockaddr_storage storage{};
    socklen_t size = 0;
    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

template <class Address>
Bound bound_to(const Address& address)
{
    Bound bound;
    std::memcpy(&bound.storage, &address, sizeof address);
    bound.size = sizeof address;
    return bound;
}

Bound ipv4(const ListenAddress& address)
{
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    if (!address.host.empty()) static_cast<void>(::inet_pton(AF_INET, address.host.c_str(), &in.sin_addr));
    return bound_to(in);
}

Bound ipv6(const ListenAddress& address)
{
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    if (!address.host.empty()) static_cast<void>(::inet_pton(AF_INET6, address.host.c_str(), &in.sin6_addr));
    return bound_to(in);
}

bool is_ipv4(const ListenAddress& address)
{
    return !address.host.empty() && address.host.find(':') == std::string::npos;
}

std::string shown(const ListenAddress& address)
{
    return address.is_unix() ? quoted(address.path) : address.host_and_port();
}

Error unable(const ListenAddress& address, int os_errno)
{
    Error error = errno_error("listen on", shown(address), os_errno);
    if (os_errno == EADDRINUSE) {
        const auto who = who_listens_on(address);
        error.cause = who ? *who + " has it" : "it is in use";
    }
    if (os_errno == EADDRNOTAVAIL) error.cause = "this host has no such address";
    if (os_errno == EACCES && !address.is_unix()) error.cause = "ports below 1024 take the privilege CAP_NET_BIND_SERVICE";
    return error;
}

Result<UniqueFd> make_socket(const ListenAddress& address, int family)
{
    UniqueFd socket(::socket(family, (address.kind == Kind::udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
    if (!socket) return fail(unable(address, errno));
    const int on = 1;
    const int off = 0;
    // Connections that a former listener has closed do not keep the port. For datagrams it would let two listen side by side.
    if (address.kind == Kind::tcp) static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    if (family == AF_INET6 && address.host.empty())
        static_cast<void>(::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off));
    return socket;
}

Result<Listener> listen_on_port(const ListenAddress& address, const ListenOptions& options)
{
    bool by_ipv4 = is_ipv4(address);
    auto socket = make_socket(address, by_ipv4 ? AF_INET : AF_INET6);
    const bool no_ipv6 = !socket && (socket.error().os_errno == EAFNOSUPPORT || socket.error().os_errno == EPROTONOSUPPORT);
    if (no_ipv6 && address.host.empty()) {
        by_ipv4 = true;
        socket = make_socket(address, AF_INET);
    }
    if (!socket) return fail(socket.error());
    const Bound where = by_ipv4 ? ipv4(address) : ipv6(address);
    if (::bind(socket->get(), where.get(), where.size) != 0) return fail(unable(address, errno));
    if (address.kind == Kind::tcp && ::listen(socket->get(), static_cast<int>(options.backlog)) != 0) return fail(unable(address, errno));
    return Listener{.socket = std::move(*socket), .file = {}};
}

// ---- Unix sockets --------------------------------------------------------------------------------------------------------------------

Result<Bound> unix_address(const ListenAddress& address, const std::string& path)
{
    sockaddr_un in{};
    in.sun_family = AF_UNIX;
    if (path.size() >= sizeof in.sun_path) return fail(unable(address, ENAMETOOLONG));
    std::memcpy(in.sun_path, path.data(), path.size());
    return bound_to(in);
}

// What a listener that was killed has left behind goes; anything else is somebody's.
Result<void> clear_place(const ListenAddress& address, BorrowedFd directory)
{
    const std::string name = base_of(address.path);
    const auto there = info_in(directory, name);
    if (!there) return fail(there.error());
    if (!*there) return {};
    if ((*there)->kind != FileInfo::Kind::socket) {
        Error error = unable(address, EEXIST);
        error.cause = "something else is there, and no socket";
        return fail(std::move(error));
    }
    const auto connected = try_unix_connection(address.path);
    if (connected) return fail(unable(address, EADDRINUSE));
    const int answer = connected.error().os_errno;
    if (answer != ECONNREFUSED && answer != ENOENT) return fail(unable(address, answer));
    return remove_at(directory, name);
}

Result<UniqueFd> directory_of(const ListenAddress& address)
{
    auto directory = open_trusted(parent_of(address.path) + "/.", {.directory = true, .path_only = true});
    if (!directory) return fail(unable(address, directory.error().os_errno));
    return directory;
}

struct SocketPlace {
    UniqueFd directory;
    Bound where;
};

// Whether nobody else can put another directory in its place: that is up to those above it.
bool stays_in_place(BorrowedFd directory)
{
    const UniqueFd above(::openat(directory.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto doubt = distrust(above, {.owner = effective_uid(), .groups = {}});
    return above && doubt && !*doubt;
}

// By its path, so that whoever looks finds it by that; through the directory's descriptor where another user could lead the path astray.
Result<SocketPlace> place_of(const ListenAddress& address)
{
    auto directory = directory_of(address);
    if (!directory) return fail(directory.error());
    const bool by_path = stays_in_place(*directory);
    const std::string through = "/proc/self/fd/" + std::to_string(directory->get()) + "/" + base_of(address.path);
    auto where = unix_address(address, by_path ? address.path : through);
    if (!where) return fail(where.error());
    return SocketPlace{.directory = std::move(*directory), .where = *where};
}

// The socket is bound and does not listen yet, so nobody can have connected to it. Held, then looked at, then given away.
Result<SocketFile> give_away(const ListenAddress& address, BorrowedFd directory, const std::string& name, const ListenOptions& options)
{
    const UniqueFd held(::openat(directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!held) return fail(unable(address, errno));
    const auto found = info(held);
    if (!found) return fail(found.error());
    const bool ours = found->kind == FileInfo::Kind::socket && found->uid == effective_uid() && found->links == 1;
    if (!ours) return fail(unable(address, EADDRINUSE));
    const bool changes = options.owner && (options.owner->uid != found->uid || options.owner->gid != found->gid);
    if (changes && ::fchownat(held.get(), "", options.owner->uid, options.owner->gid, AT_EMPTY_PATH) != 0)
        return fail(unable(address, errno));
    return SocketFile{.device = found->device, .inode = found->inode};
}

Result<Listener> listen_on_path(const ListenAddress& address, const ListenOptions& options)
{
    auto place = place_of(address);
    if (!place) return fail(place.error());
    const std::string name = base_of(address.path);
    if (auto cleared = clear_place(address, place->directory); !cleared) return fail(cleared.error());
    auto socket = make_socket(address, AF_UNIX);
    if (!socket) return fail(socket.error());
    // Born with its mode: a chmod afterwards would leave a moment in which others may have opened it.
    const mode_t old_mask = ::umask(0777 & ~static_cast<mode_t>(options.mode));
    const int error = ::bind(socket->get(), place->where.get(), place->where.size) == 0 ? 0 : errno;
    ::umask(old_mask);
    if (error != 0) return fail(unable(address, error));
    auto file = give_away(address, place->directory, name, options);
    if (!file) {
        if (file.error().os_errno != EADDRINUSE) static_cast<void>(remove_at(place->directory, name));
        return fail(file.error());
    }
    if (::listen(socket->get(), static_cast<int>(options.backlog)) != 0) {
        const int failed = errno;
        static_cast<void>(remove_at(place->directory, name));
        return fail(unable(address, failed));
    }
    return Listener{.socket = std::move(*socket), .file = *file};
}

std::optional<int> option_of(BorrowedFd socket, int option)
{
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(socket.get(), SOL_SOCKET, option, &value, &size) != 0) return std::nullopt;
    return value;
}

bool is_bound_to_path(const Bound& bound, const std::string& path)
{
    sockaddr_un in{};
    std::memcpy(&in, &bound.storage, std::min<std::size_t>(bound.size, sizeof in));
    const std::string has(in.sun_path, ::strnlen(in.sun_path, sizeof in.sun_path));
    return has == path || (has.starts_with("/proc/self/fd/") && base_of(has) == base_of(path));
}

bool is_bound_to_port(const Bound& bound, const ListenAddress& address)
{
    const auto same = [&](const Bound& wanted) { return std::memcmp(&wanted.storage, &bound.storage, wanted.size) == 0; };
    if (bound.storage.ss_family == AF_INET) return (address.host.empty() || is_ipv4(address)) && same(ipv4(address));
    if (bound.storage.ss_family == AF_INET6) return !is_ipv4(address) && same(ipv6(address));
    return false;
}

}  // namespace

Result<Listener> listen_on(const ListenAddress& address, const ListenOptions& options)
{
    return address.is_unix() ? listen_on_path(address, options) : listen_on_port(address, options);
}

bool listens_on(BorrowedFd socket, const ListenAddress& address)
{
    const bool wants_datagrams = address.kind == Kind::udp;
    if (option_of(socket, SO_TYPE) != (wants_datagrams ? SOCK_DGRAM : SOCK_STREAM)) return false;
    if (!wants_datagrams && option_of(socket, SO_ACCEPTCONN) != 1) return false;
    Bound bound;
    // A server of datagrams may have one for each client, which hears only that one.
    bound.size = sizeof bound.storage;
    if (wants_datagrams && ::getpeername(socket.get(), bound.get(), &bound.size) == 0) return false;
    bound.size = sizeof bound.storage;
    if (::getsockname(socket.get(), bound.get(), &bound.size) != 0) return false;
    if (bound.storage.ss_family == AF_UNIX) return address.is_unix() && is_bound_to_path(bound, address.path);
    return !address.is_unix() && is_bound_to_port(bound, address);
}

std::optional<SocketFile> socket_file_at(const std::string& path)
{
    const auto there = info_at(path);
    if (!there || !*there || (*there)->kind != FileInfo::Kind::socket) return std::nullopt;
    return SocketFile{.device = (*there)->device, .inode = (*there)->inode};
}

void remove_dead_socket(const std::string& path)
{
    const ListenAddress address{.kind = Kind::unix_stream, .path = path};
    const auto directory = directory_of(address);
    if (directory) static_cast<void>(clear_place(address, *directory));
}

void remove_socket_file(const std::string& path, const SocketFile& file)
{
    const auto directory = directory_of({.kind = Kind::unix_stream, .path = path});
    if (!directory) return;
    const std::string name = base_of(path);
    const auto there = info_in(*directory, name);
    const bool same =
        there && *there && (*there)->kind == FileInfo::Kind::socket && (*there)->device == file.device && (*there)->inode == file.inode;
    if (same) static_cast<void>(remove_at(*directory, name));
}

}  // namespace steward::os
