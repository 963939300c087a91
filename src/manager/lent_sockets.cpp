#include "manager/lent_sockets.hpp"

#include <algorithm>

#include "manager/delegate.hpp"
#include "supervise/client.hpp"

namespace steward::manager {

void borrow_sockets(Located& located)
{
    if (!located.directory) return;
    const auto before = load_started(located);
    const auto now = load_current(located);
    if (!before || !now || before->sockets.empty()) return;
    // An init system that starts it opens them itself, and could not while somebody else listens.
    const auto delegate = Delegate::of(located);
    if (!delegate || *delegate) return;
    const bool same_owner = before->service.user == now->spec.service.user && before->service.group == now->spec.service.group;
    const bool goes_on = std::ranges::all_of(before->sockets, [&](const Socket& socket) {
        return !socket.listen.starts_with("unix:") ||
               (same_owner && std::ranges::find(now->spec.sockets, socket) != now->spec.sockets.end());
    });
    if (goes_on) located.sockets = supervise::borrow_sockets(*located.directory);
}

}  // namespace steward::manager
