#include "os/signal_guard.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "os/spawn.hpp"

namespace steward::os {
namespace {

TEST(SignalGuard, blocks_all_and_then_restores_the_mask)
{
    sigset_t wanted, seen, nothing;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigprocmask(SIG_SETMASK, &wanted, nullptr);
    {
        const SignalGuard guard;
        sigprocmask(SIG_SETMASK, nullptr, &seen);
        for (const int signal : {SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2, SIGRTMAX}) EXPECT_EQ(sigismember(&seen, signal), 1) << signal;
    }
    sigprocmask(SIG_SETMASK, nullptr, &seen);
    EXPECT_EQ(sigismember(&seen, SIGUSR1), 1);
    EXPECT_EQ(sigismember(&seen, SIGTERM), 0);
    sigemptyset(&nothing);
    sigprocmask(SIG_SETMASK, &nothing, nullptr);
}

TEST(Abandon, ends_the_child_and_its_group_and_reaps_it)
{
    int pipe[2];
    ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
    const auto spawned = spawn(
        [](void* ends) noexcept {
            setsid();
            const auto* const fds = static_cast<int*>(ends);
            if (fork() == 0) {
                if (write(fds[1], "x", 1) != 1) return 1;
            }
            for (;;) pause();
            return 0;
        },
        pipe);
    ASSERT_TRUE(spawned);
    close(pipe[1]);
    char byte = 0;
    ASSERT_EQ(read(pipe[0], &byte, 1), 1);
    abandon(spawned->child.pid);
    EXPECT_EQ(read(pipe[0], &byte, 1), 0);  // the last of the group has let go
    EXPECT_EQ(waitpid(spawned->child.pid, nullptr, 0), -1);
    EXPECT_EQ(errno, ECHILD);
    close(pipe[0]);
}

TEST(Abandon, ends_a_child_that_leads_no_group)
{
    const auto spawned = spawn(
        [](void*) noexcept {
            for (;;) pause();
            return 0;
        },
        nullptr);
    ASSERT_TRUE(spawned);
    abandon(spawned->child.pid);
    EXPECT_EQ(waitpid(spawned->child.pid, nullptr, 0), -1);
}

}  // namespace
}  // namespace steward::os
