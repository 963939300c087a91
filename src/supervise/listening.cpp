#include "supervise/listening.hpp"

#include <algorithm>

#include "os/listener.hpp"

namespace steward::supervise {

namespace {

constexpr int first_descriptor = 3;  // sd_listen_fds(3)

std::optional<os::Owner> owner_of(const process::LaunchPlan& plan)
{
    if (!plan.identity) return std::nullopt;
    return os::Owner{.uid = plan.identity->uid, .gid = plan.identity->gid};
}

}  // namespace

void take_sockets(Assignment& assignment, std::vector<os::UniqueFd>& offered, SocketFiles files)
{
    const auto& wanted = assignment.spec.sockets;
    assignment.sockets.resize(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        HeldSocket& held = assignment.sockets[i];
        const auto address = os::parse_listen_address(wanted[i].listen);
        if (held.socket || !address) continue;
        // One whose file is gone is there, and nobody finds it.
        const auto file = address->is_unix() ? os::socket_file_at(address->path) : std::nullopt;
        if (address->is_unix() && !file) continue;
        const auto found = std::ranges::find_if(offered, [&](const os::UniqueFd& fd) { return os::listens_on(fd, *address); });
        if (found == offered.end()) continue;
        held.socket = std::move(*found);
        if (files == SocketFiles::ours) held.file = file;
        offered.erase(found);
    }
}

Result<void> open_sockets(Assignment& assignment)
{
    const auto& wanted = assignment.spec.sockets;
    assignment.sockets.resize(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        HeldSocket& held = assignment.sockets[i];
        const auto address = os::parse_listen_address(wanted[i].listen);
        if (held.socket || !address) continue;
        auto opened = os::listen_on(*address, {.backlog = wanted[i].backlog, .mode = wanted[i].mode, .owner = owner_of(assignment.plan)});
        if (!opened) {
            Error error = opened.error();
            error.cause = "cannot " + error.operation + " " + error.object + ": " + error.cause;
            error.operation = "start";
            error.object = assignment.spec.name;
            return fail(std::move(error));
        }
        held.socket = std::move(opened->socket);
        held.file = opened->file;
    }
    return {};
}

void pass_sockets(const Assignment& assignment, process::LaunchPlan& plan)
{
    int as = first_descriptor;
    for (const HeldSocket& held : assignment.sockets) plan.passed.push_back({.fd = held.socket, .as = as++});
}

void remove_socket_files(Assignment& assignment)
{
    for (std::size_t i = 0; i < assignment.sockets.size() && i < assignment.spec.sockets.size(); ++i) {
        const auto file = std::exchange(assignment.sockets[i].file, std::nullopt);
        const auto address = os::parse_listen_address(assignment.spec.sockets[i].listen);
        if (file && address) os::remove_socket_file(address->path, *file);
    }
}

void remove_dead_sockets(const ServiceSpec& spec)
{
    for (const Socket& socket : spec.sockets) {
        const auto address = os::parse_listen_address(socket.listen);
        if (address && address->is_unix()) os::remove_dead_socket(address->path);
    }
}

}  // namespace steward::supervise
