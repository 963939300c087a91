#include "supervise/settle.hpp"

#include <algorithm>

namespace steward::supervise {

namespace {
constexpr std::chrono::microseconds first_pause{150};
constexpr std::chrono::microseconds longest_pause{5000};
}  // namespace

SettleWatch::SettleWatch(os::EventLoop& loop, std::int32_t pid, std::function<void()> settled)
    : loop_(loop), pid_(pid), settled_(std::move(settled)), deadline_(os::MonotonicClock::now() + settle_limit), pause_(first_pause)
{
    timer_ = loop_.after(std::chrono::microseconds(0), [this] { look(); });  // it may be settled already
}

SettleWatch::~SettleWatch()
{
    loop_.cancel(timer_);
}

void SettleWatch::look()
{
    timer_ = 0;
    const auto stat = os::read_stat(pid_);
    const char state = stat && *stat ? (*stat)->state : '?';
    const bool leader_ended = state == 'Z' || state == 'X';
    if (leader_ended && (*stat)->tasks <= 1) return;
    // A leader that has ended with threads left behind is up in its own way.
    const bool waits = state == 'S' || state == 'T' || state == 't' || leader_ended;
    if (waits || os::MonotonicClock::now() >= deadline_) {
        const auto settled = std::move(settled_);
        return settled();
    }
    timer_ = loop_.after(pause_, [this] { look(); });
    pause_ = std::min(pause_ * 3 / 2, longest_pause);
}

}  // namespace steward::supervise
