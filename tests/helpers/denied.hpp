// Which system calls deny_syscalls has taken from this test.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

namespace steward::test {

// A test asks this and then expects what the fallback gives; it never skips.
inline bool is_denied(std::string_view call)
{
    const char* names = std::getenv("STEWARD_DENIED_SYSCALLS");
    if (names == nullptr) return false;
    return ("," + std::string(names) + ",").find("," + std::string(call) + ",") != std::string::npos;
}

}  // namespace steward::test
