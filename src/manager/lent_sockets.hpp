// The sockets of a service that is restarted: whoever restarts it holds them between its stop and its start.
#pragma once

#include "manager/located.hpp"

namespace steward::manager {

// Into Located::sockets, for the start that follows the stop. None where the service file has given up a Unix socket, or gives it another
// mode or owner: its file goes with the supervisor that made it. None either where an init system does the start.
void borrow_sockets(Located& located);

}  // namespace steward::manager
