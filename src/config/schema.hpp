// The one table of everything a service file may say. Loading, `show`, rendering, suggestions and the manual page's test all read it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <steward/service_spec.hpp>

#include "config/reading.hpp"

namespace steward::config {

// One key. Its default is what a new ServiceSpec holds, so that it is said once.
struct Key {
    using Read = void (*)(const Key& key, const Node& value, Reading& reading, ServiceSpec& spec);
    using Write = std::optional<Node> (*)(const Key& key, const ServiceSpec& spec);

    std::string_view table;
    std::string_view name;
    // Unset: the key is known, and has no effect in this version; to write it is an error, never ignored.
    Read read = nullptr;
    // The value a spec holds; unset: none, and the key has no default. A table stands for one key a member (environment.PATH).
    Write write = nullptr;

    [[nodiscard]] bool supported() const { return read != nullptr; }
};

// In the order of steward.toml(5). A key named "*" stands for any key of its table.
[[nodiscard]] std::span<const Key> schema();

// Null: no such key.
[[nodiscard]] const Key* find_key(std::string_view table, std::string_view name);

}  // namespace steward::config
