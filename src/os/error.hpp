// Errors from errno, worded the same everywhere.
#pragma once

#include <string>

#include <steward/result.hpp>

namespace steward::os {

// EACCES and EPERM become not_permitted, everything else `failed`. The cause is errno's text.
[[nodiscard]] Error errno_error(std::string operation, std::string object, int os_errno);

[[nodiscard]] std::string errno_text(int os_errno);  // "No such file or directory"

[[nodiscard]] std::string quoted(std::string_view path);  // 'path', control characters escaped

}  // namespace steward::os
