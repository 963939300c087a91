// Shell patterns over names, by the C library.
#pragma once

#include <string>

namespace steward::os {

[[nodiscard]] bool matches_glob(const std::string& pattern, const std::string& name);  // fnmatch(3)

}  // namespace steward::os
