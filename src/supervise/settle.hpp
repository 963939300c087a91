// Tells a program that dies at once from one that is up, without a fixed wait: a program is settled when it first waits for
// something (its main thread sleeps), or when `limit` has passed, and it is not when it ends before that.
//
// A daemon that finds its configuration wrong says so and exits without ever waiting; one that serves sleeps in its event loop within
// milliseconds. So `start` learns of the first and costs the second next to nothing.
#pragma once

#include <functional>

#include "os/event_loop.hpp"
#include "os/process.hpp"

namespace steward::supervise {

inline constexpr std::chrono::milliseconds settle_limit{250};

// Calls `settled` once from the loop; never when the process ends first (its end is the caller's to watch) or this is destroyed.
class SettleWatch {
  public:
    SettleWatch(os::EventLoop& loop, std::int32_t pid, std::function<void()> settled);
    ~SettleWatch();
    SettleWatch(const SettleWatch&) = delete;
    SettleWatch& operator=(const SettleWatch&) = delete;

  private:
    void look();

    os::EventLoop& loop_;
    std::int32_t pid_;
    std::function<void()> settled_;
    os::MonotonicClock::time_point deadline_;
    std::chrono::microseconds pause_;
    os::EventLoop::Id timer_ = 0;
};

}  // namespace steward::supervise
