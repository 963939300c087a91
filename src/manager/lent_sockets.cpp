#include "manager/lent_sockets.hpp"

#include <algorithm>

#include "supervise/client.hpp"

namespace steward::manager {

void borrow_sockets(Located& located)
{
    if (!located.directory) return;
    const auto before = load_started(located);
    const auto now = load_current(located);
    if (!before || !now || before->sockets.empty()) return;
    const bool goes_on = std::ranges::all_of(before->sockets, [&](const Socket& socket) {
        return !socket.listen.starts_with("unix:") ||
               std::ranges::find(now->spec.sockets, socket.listen, &Socket::listen) != now->spec.sockets.end();
    });
    if (goes_on) located.sockets = supervise::borrow_sockets(*located.directory);
}

}  // namespace steward::manager
