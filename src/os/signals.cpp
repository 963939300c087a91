#include "os/signals.hpp"

#include <signal.h>

#include <cerrno>

#include "os/error.hpp"

namespace steward::os {
namespace {

// 0 or an errno.
int make_set(std::initializer_list<int> signals, sigset_t* set) noexcept
{
    ::sigemptyset(set);
    for (const int signal : signals) {
        if (::sigaddset(set, signal) != 0) return errno;
    }
    return 0;
}

}  // namespace

Result<void> block_signals(std::initializer_list<int> signals)
{
    sigset_t set;
    int error = make_set(signals, &set);
    if (error == 0 && ::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) error = errno;
    if (error != 0) return fail(errno_error("block", "signals", error));
    return {};
}

int wait_for_signal(std::initializer_list<int> signals, std::int32_t* sender) noexcept
{
    sigset_t set;
    if (make_set(signals, &set) != 0) return -1;
    while (true) {
        siginfo_t taken = {};
        const int signal = ::sigwaitinfo(&set, &taken);
        if (signal < 0 && errno == EINTR) continue;
        const bool from_process = taken.si_code == SI_USER || taken.si_code == SI_QUEUE || taken.si_code == SI_TKILL || signal == SIGCHLD;
        if (sender != nullptr) *sender = signal > 0 && from_process ? taken.si_pid : 0;
        return signal;
    }
}

void unblock_all_signals() noexcept
{
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void reset_signals() noexcept
{
    struct sigaction by_default = {};
    by_default.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &by_default, nullptr);  // KILL, STOP and libc's own refuse
    unblock_all_signals();
}

void expect_children() noexcept
{
    struct sigaction now = {};
    if (::sigaction(SIGCHLD, nullptr, &now) != 0 || now.sa_handler != SIG_IGN) return;
    now = {};
    now.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &now, nullptr);
}

namespace {

void ignore(int signal) noexcept
{
    struct sigaction ignored = {};
    ignored.sa_handler = SIG_IGN;
    ::sigaction(signal, &ignored, nullptr);
}

}  // namespace

void ignore_sigpipe() noexcept
{
    ignore(SIGPIPE);
}

void ignore_sigxfsz() noexcept
{
    ignore(SIGXFSZ);
}

}  // namespace steward::os
