// Listening sockets that other processes hold: theirs, to take over; and whose an address is, to tell.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <set>
#include <sstream>

#include "os/environment.hpp"
#include "os/listener.hpp"
#include "os/message_socket.hpp"
#include "os/pidfd.hpp"

namespace steward::os {

namespace {

constexpr std::size_t most_of_net = 16U << 20U;
constexpr int first_received = 3;

template <class Number>
std::optional<Number> number_of(std::string_view text, int base = 10)
{
    Number number = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number, base);
    return error == std::errc{} && end == last && !text.empty() ? std::optional(number) : std::nullopt;
}

// What "socket:[4711]" says.
std::optional<std::uint64_t> socket_inode(std::int32_t pid, const std::string& fd)
{
    std::array<char, 64> target{};
    const std::string link = "/proc/" + std::to_string(pid) + "/fd/" + fd;
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    constexpr std::string_view prefix = "socket:[";
    const std::string_view text(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (!text.starts_with(prefix) || !text.ends_with(']')) return std::nullopt;
    return number_of<std::uint64_t>(text.substr(prefix.size(), text.size() - prefix.size() - 1));
}

std::vector<std::string> descriptors_of(std::int32_t pid)
{
    auto names = list_directory("/proc/" + std::to_string(pid) + "/fd");
    return names ? std::move(*names) : std::vector<std::string>();
}

// The sockets that have the port, by a table of /proc/net: "sl local_address rem_address st … uid timeout inode".
void add_inodes(const char* table, bool listening_only, std::uint16_t port, std::set<std::uint64_t>& inodes)
{
    const auto text = read_file(table, most_of_net);
    if (!text) return;
    std::istringstream lines(*text);
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::array<std::string, 10> word;
        for (auto& each : word) words >> each;
        const auto colon = word[1].rfind(':');
        if (!words || colon == std::string::npos) continue;
        constexpr const char* listening = "0A";
        const auto inode = number_of<std::uint64_t>(word[9]);
        const bool fits = number_of<std::uint16_t>(word[1].substr(colon + 1), 16) == port;
        if (fits && inode && *inode != 0 && (!listening_only || word[3] == listening)) inodes.insert(*inode);
    }
}

std::string name_of(std::int32_t pid)
{
    const auto stat = read_stat(pid);
    const std::string number = "PID " + std::to_string(pid);
    return stat && *stat ? number + " (" + (*stat)->command + ")" : number;
}

std::optional<std::string> holder_of(const std::set<std::uint64_t>& inodes)
{
    const auto all = list_directory("/proc");
    if (!all || inodes.empty()) return std::nullopt;
    for (const std::string& name : *all) {
        const auto pid = number_of<std::int32_t>(name);
        if (!pid) continue;
        for (const std::string& fd : descriptors_of(*pid)) {
            const auto inode = socket_inode(*pid, fd);
            if (inode && inodes.contains(*inode)) return name_of(*pid);
        }
    }
    return std::nullopt;
}

// The kernel keeps who called listen(2).
std::optional<std::string> listener_at(const std::string& path)
{
    sockaddr_un in{};
    in.sun_family = AF_UNIX;
    if (path.size() >= sizeof in.sun_path) return std::nullopt;
    std::memcpy(in.sun_path, path.data(), path.size());
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!probe || ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&in), sizeof in) != 0) return std::nullopt;
    const auto peer = peer_of(probe);
    return peer && peer->pid > 0 ? std::optional(name_of(peer->pid)) : std::nullopt;
}

bool is_listener(BorrowedFd socket)
{
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value == 1) return true;
    size = sizeof value;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &value, &size) == 0 && value == SOCK_DGRAM;
}

}  // namespace

std::optional<std::string> who_listens_on(const ListenAddress& address)
{
    if (address.is_unix()) return listener_at(address.path);
    const bool tcp = address.kind == ListenAddress::Kind::tcp;
    std::set<std::uint64_t> inodes;
    for (const char* table : {tcp ? "/proc/self/net/tcp" : "/proc/self/net/udp", tcp ? "/proc/self/net/tcp6" : "/proc/self/net/udp6"})
        add_inodes(table, tcp, address.port, inodes);
    return holder_of(inodes);
}

std::vector<UniqueFd> listeners_of(const ProcessRef& process)
{
    std::vector<UniqueFd> found;
    if (!process.pidfd()) return found;
    for (const std::string& name : descriptors_of(process.pid())) {
        const auto fd = number_of<int>(name);
        if (!fd || !socket_inode(process.pid(), name)) continue;
        const int copied = pidfd::get_descriptor(process.pidfd().get(), *fd);
        if (copied < 0) continue;
        UniqueFd copy(copied);
        if (is_listener(copy)) found.push_back(std::move(copy));
    }
    return found;
}

std::vector<UniqueFd> received_listeners()
{
    std::vector<UniqueFd> received;
    const auto pid = environment_variable("LISTEN_PID");
    const auto count = environment_variable("LISTEN_FDS");
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
    if (!pid || !count || number_of<std::int32_t>(*pid) != self_pid()) return received;
    const int most = number_of<int>(*count).value_or(0);
    for (int fd = first_received; fd - first_received < most; ++fd) {
        // What is not there, or is no socket, is not to be closed: it is somebody else's.
        if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) break;
        if (is_listener(BorrowedFd(fd))) received.emplace_back(fd);
    }
    return received;
}

}  // namespace steward::os
