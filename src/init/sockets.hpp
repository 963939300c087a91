// [[socket]] in systemd's words: one socket unit beside the service's, whose settings hold for all of its sockets.
#pragma once

#include <string>

#include <steward/init_system.hpp>
#include <steward/service_spec.hpp>

#include "init/script.hpp"

namespace steward::init {

// The service has sockets, and systemd can open them: then there is a socket unit.
[[nodiscard]] bool has_socket_unit(const ServiceSpec& spec);
// Lines of its section [Socket].
[[nodiscard]] Lines socket_lines(const Request& request);

// Doubts of the mapping.
[[nodiscard]] std::string doubt_socket_name(const ServiceSpec& spec, InitSystem system);
[[nodiscard]] std::string doubt_listen(const ServiceSpec& spec, InitSystem system);
[[nodiscard]] std::string doubt_backlog(const ServiceSpec& spec, InitSystem system);
[[nodiscard]] std::string doubt_socket_mode(const ServiceSpec& spec, InitSystem system);

}  // namespace steward::init
