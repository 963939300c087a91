// What is left until a deadline, as poll(2) and epoll_wait(2) want it. For src/os only.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace steward::os {

// -1 without a deadline, 0 when it has passed; rounded up, so that what waits that long has reached it.
[[nodiscard]] inline int milliseconds_until(std::optional<std::chrono::steady_clock::time_point> deadline)
{
    if (!deadline) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now()).count();
    return static_cast<int>(std::clamp<decltype(left)>(left, 0, 1 << 30));
}

}  // namespace steward::os
