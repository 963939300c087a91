// Real processes that play parts in tests. Pipes and waits synchronise; nothing sleeps.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "os/fd.hpp"
#include "os/process.hpp"

namespace steward::test {

// Two processes meet: one tells a number, the other waits for it.
class Meeting {
  public:
    Meeting()
    {
        auto pipe = os::make_pipe();
        if (!pipe) std::abort();
        pipe_ = std::move(*pipe);
    }
    void tell(std::int32_t number = 1) const
    {
        if (::write(pipe_.write.get(), &number, sizeof number) != sizeof number) std::abort();
    }
    // -1 when nobody tells: a test whose other side failed fails, and does not hang.
    std::int32_t hear() const
    {
        pollfd polled{.fd = pipe_.read.get(), .events = POLLIN, .revents = 0};
        if (::poll(&polled, 1, 30'000) <= 0) return -1;
        std::int32_t number = -1;
        return ::read(pipe_.read.get(), &number, sizeof number) == sizeof number ? number : -1;
    }

  private:
    os::Pipe pipe_;
};

// Runs `body` in a child whose exit code it returns; killed and reaped with the object.
class TestChild {
  public:
    template <class Body>
    explicit TestChild(Body body) : pid_(::fork())
    {
        if (pid_ == 0) exit_with(body);
    }
    TestChild(const TestChild&) = delete;
    TestChild& operator=(const TestChild&) = delete;
    ~TestChild()
    {
        if (reaped_) return;
        ::kill(pid_, SIGKILL);
        reap();
    }

    [[nodiscard]] std::int32_t pid() const { return pid_; }
    // Until it is a zombie; it stays one.
    void wait_for_end() const
    {
        siginfo_t ended = {};
        while (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
        }
    }
    // Its wait status, when it has ended.
    int reap()
    {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        reaped_ = true;
        return status;
    }
    void forget() { reaped_ = true; }  // another has reaped it

  private:
    // An exception must not carry the child into the rest of the tests.
    template <class Body>
    [[noreturn]] static void exit_with(Body& body) noexcept
    {
        ::_exit(body());
    }

    pid_t pid_ = 0;
    bool reaped_ = false;
};

[[noreturn]] inline void pause_for_ever()
{
    while (true) ::pause();
}

// In a child: nobody from now on. False when this process may not change its user.
inline bool become_nobody()
{
    return ::setresgid(65534, 65534, 65534) == 0 && ::setresuid(65534, 65534, 65534) == 0;
}

}  // namespace steward::test
