// [dependencies] in the words of each init system that has any: services by their names there, and the neutral names.
#pragma once

#include <string>
#include <string_view>

#include <steward/init_system.hpp>
#include <steward/service_spec.hpp>

#include "init/script.hpp"

namespace steward::init {

// Lines of [Unit].
[[nodiscard]] Lines systemd_dependencies(const Request& request);

// The LSB header: what must be there first, and lines for all else.
struct LsbHeader {
    std::string required;  // of Required-Start and Required-Stop
    Lines more;
};
[[nodiscard]] LsbHeader lsb_dependencies(const ServiceSpec& spec);

// Lines of the function depend().
[[nodiscard]] Lines openrc_dependencies(const ServiceSpec& spec);

// Lines of a service description.
[[nodiscard]] Lines dinit_dependencies(const ServiceSpec& spec);

// Doubts of the mapping: what cannot be written.
[[nodiscard]] std::string doubt_requires(const ServiceSpec& spec, InitSystem system);
[[nodiscard]] std::string doubt_wants(const ServiceSpec& spec, InitSystem system);

}  // namespace steward::init
