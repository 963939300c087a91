#include "os/shortage.hpp"

#include <time.h>

#include <cerrno>
#include <chrono>
#include <new>

namespace steward::os {

namespace {

constexpr timespec look_interval{.tv_sec = 0, .tv_nsec = 100'000'000};
constexpr std::chrono::seconds new_shortage{5};  // less than this after the last look it is still the same one

void (*tell_of_wait)() noexcept = nullptr;
std::chrono::steady_clock::time_point last_look;

// operator new tries again after each return.
void wait_a_moment()
{
    const auto now = std::chrono::steady_clock::now();
    const bool is_new = last_look == std::chrono::steady_clock::time_point() || now - last_look > new_shortage;
    last_look = now;  // first: telling may be what needs memory next
    if (is_new && tell_of_wait != nullptr) tell_of_wait();
    ::nanosleep(&look_interval, nullptr);
}

}  // namespace

bool is_shortage(int os_errno)
{
    switch (os_errno) {
        case EAGAIN:
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENOSPC:
        case EDQUOT: return true;
        default: return false;
    }
}

void wait_for_memory(void (*tell)() noexcept) noexcept
{
    tell_of_wait = tell;
    std::set_new_handler(wait_a_moment);
}

}  // namespace steward::os
