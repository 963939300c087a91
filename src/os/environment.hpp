// The calling process's environment, and what the host is.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace steward::os {

[[nodiscard]] std::optional<std::string> environment_variable(const char* name);
[[nodiscard]] std::vector<std::pair<std::string, std::string>> whole_environment();

}  // namespace steward::os
