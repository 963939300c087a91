// The one table of what each key becomes under each init system. It is total: a test holds it to the schema.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include <steward/init_system.hpp>
#include <steward/service_spec.hpp>

namespace steward::init {

// Why this value of a native key cannot be written natively, as the end of the sentence "KEY …"; empty: it can.
using Doubt = std::string (*)(const ServiceSpec& spec, InitSystem system);

struct Mapping {
    std::string_view table;
    std::string_view name;  // "*": any key of the table
    std::string_view how;   // a letter for each of init_systems: n native, c carried, l lost
    std::string_view what;  // the words of systemd, or what else to say in the documentation; may be empty
    Doubt doubt = nullptr;
    Expression doubtful = Expression::carried;  // what a value with a doubt is
};

[[nodiscard]] std::span<const Mapping> mappings();
// Of a key's path, "restart.delay" or "service.environment.PATH"; null: there is none.
[[nodiscard]] const Mapping* find_mapping(std::string_view path);
[[nodiscard]] Expression base_expression(const Mapping& mapping, InitSystem system);

}  // namespace steward::init
