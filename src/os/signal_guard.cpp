#include "os/signal_guard.hpp"

namespace steward::os {

SignalGuard::SignalGuard() noexcept
{
    sigset_t all;
    sigfillset(&all);
    blocked_ = sigprocmask(SIG_SETMASK, &all, &before_) == 0;
}

SignalGuard::~SignalGuard()
{
    if (blocked_) sigprocmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace steward::os
