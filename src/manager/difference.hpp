// What changes from one text to another, as a unified diff.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace steward::manager {

// Lines without their newlines; none where the texts are the same. Three lines of context.
[[nodiscard]] std::vector<std::string> difference(const std::string& path, std::string_view before, std::string_view after);

}  // namespace steward::manager
