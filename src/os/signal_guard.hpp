// No signal for a moment: so that a handler of this process never runs in a child that is about to become another program.
#pragma once

#include <csignal>

namespace steward::os {

// Blocks every signal for as long as it lives, then restores the mask as it was.
class SignalGuard {
  public:
    SignalGuard() noexcept;
    SignalGuard(const SignalGuard&) = delete;
    SignalGuard& operator=(const SignalGuard&) = delete;
    ~SignalGuard();

  private:
    sigset_t before_{};
    bool blocked_ = false;
};

}  // namespace steward::os
