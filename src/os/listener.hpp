// Sockets that listen: made, known again, and found in other processes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"
#include "os/file.hpp"
#include "os/listen_address.hpp"
#include "os/process.hpp"

namespace steward::os {

struct ListenOptions {
    unsigned backlog = 0;
    unsigned mode = 0666;        // of a Unix socket's file
    std::optional<Owner> owner;  // likewise; unset: the caller
};

// A socket's file: which one it is, so that it is removed and no other.
struct SocketFile {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
};

struct Listener {
    UniqueFd socket;                 // close-on-exec, blocking
    std::optional<SocketFile> file;  // of a Unix socket
};

// Binds and listens. A Unix socket's file has its mode and owner before anybody can connect; one that is there and that nobody listens to is
// replaced. An address that is in use is a failure that names the process, where that can be told.
Result<Listener> listen_on(const ListenAddress& address, const ListenOptions& options);

// Whether it is a socket that listens there (udp: that is bound there).
[[nodiscard]] bool listens_on(BorrowedFd socket, const ListenAddress& address);
// Of the file that is at the path now. Unset: none, or no socket's.
[[nodiscard]] std::optional<SocketFile> socket_file_at(const std::string& path);
// Removes the path if it still is that file.
void remove_socket_file(const std::string& path, const SocketFile& file);

// Removes a socket's file if nobody listens there: whoever made it has been killed.
void remove_dead_socket(const std::string& path);

// The listening sockets that `process` holds, as descriptors of this one. None where the kernel (before 5.6) or its rules do not let it have
// them.
[[nodiscard]] std::vector<UniqueFd> listeners_of(const ProcessRef& process);
// Those that whoever started this process has handed to it (sd_listen_fds(3)), close-on-exec from now on. The second call finds none.
[[nodiscard]] std::vector<UniqueFd> received_listeners();

// "PID 812 (nginx)": who has a socket bound there. Unset: it cannot be told.
[[nodiscard]] std::optional<std::string> who_listens_on(const ListenAddress& address);

}  // namespace steward::os
