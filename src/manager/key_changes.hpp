// What differs between a service file as it was and as it is, and how each change comes to hold.
#pragma once

#include <optional>
#include <vector>

#include <steward/application.hpp>
#include <steward/service_spec.hpp>

namespace steward::manager {

// In the order of the keys of steward.toml(5). `has_unit`: an init system starts it, by a unit or script made of its file.
[[nodiscard]] std::vector<KeyChange> key_changes(const ServiceSpec& before, const ServiceSpec& now, bool has_unit);

// The means that reaches furthest; unset: nothing has changed.
[[nodiscard]] std::optional<Means> furthest(const std::vector<KeyChange>& changes);

}  // namespace steward::manager
