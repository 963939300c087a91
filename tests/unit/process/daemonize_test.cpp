#include "process/daemonize.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "helpers/in_child.hpp"
#include "launching.hpp"

namespace steward::process {
namespace {

using test::in_child;

// What the daemon finds, told over a pipe.
struct Finding {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t session = 0;
    mode_t mask = 0;
    int blocked = -1;
    int descriptors = 0;
    bool null[3] = {};
    bool at_root = false;
    bool terminal = false;
};

int report(void* fd) noexcept
{
    const int pipe = *static_cast<int*>(fd);
    Finding found{.pid = getpid(), .parent = getppid(), .session = getsid(0), .mask = umask(0)};
    sigset_t mask;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    found.blocked = 0;
    for (int signal = 1; signal < SIGRTMAX; ++signal) found.blocked += sigismember(&mask, signal);
    struct stat null {
    }, stream{}, here{}, root{};
    stat("/dev/null", &null);
    for (int i = 0; i < 3; ++i) found.null[i] = fstat(i, &stream) == 0 && stream.st_rdev == null.st_rdev;
    for (int i = 3; i < 1024; ++i) found.descriptors += fcntl(i, F_GETFD) >= 0 ? 1 : 0;
    stat(".", &here);
    stat("/", &root);
    found.at_root = here.st_ino == root.st_ino && here.st_dev == root.st_dev;
    const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    found.terminal = terminal >= 0;
    return write(pipe, &found, sizeof found) == static_cast<ssize_t>(sizeof found) ? 0 : 1;
}

TEST(Daemonize, cuts_every_tie_to_the_caller)
{
    int pipe[2];
    ASSERT_EQ(pipe2(pipe, 0), 0);
    EXPECT_EQ(in_child([&] {
                  sigset_t all;
                  sigfillset(&all);
                  sigprocmask(SIG_SETMASK, &all, nullptr);
                  umask(077);
                  if (chdir("/tmp") != 0) return 1;
                  dup2(pipe[0], 300);
                  if (!daemonize({pipe[1]}, &report, &pipe[1])) return 2;
                  // The first child has been reaped and there is no other; the caller is as it was.
                  if (waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) return 3;
                  sigset_t mask;
                  sigprocmask(SIG_SETMASK, nullptr, &mask);
                  if (sigismember(&mask, SIGUSR1) != 1) return 4;
                  return fcntl(300, F_GETFD) >= 0 ? 0 : 5;
              }),
              0);
    Finding found;
    ASSERT_EQ(read(pipe[0], &found, sizeof found), static_cast<ssize_t>(sizeof found));
    EXPECT_NE(found.session, getsid(0));
    EXPECT_NE(found.session, found.pid);
    EXPECT_EQ(found.mask, 022u);
    EXPECT_EQ(found.blocked, 0);
    EXPECT_EQ(found.descriptors, 1);
    EXPECT_TRUE(found.null[0] && found.null[1] && found.null[2]);
    EXPECT_TRUE(found.at_root);
    EXPECT_FALSE(found.terminal);
    close(pipe[0]);
    close(pipe[1]);
}

TEST(Daemonize, works_for_a_caller_without_standard_streams)
{
    int pipe[2];
    ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
    EXPECT_EQ(in_child([&] {
                  for (const int fd : {0, 1, 2}) close(fd);
                  return daemonize({pipe[1]}, &report, &pipe[1]) ? 0 : 1;
              }),
              0);
    Finding found;
    ASSERT_EQ(read(pipe[0], &found, sizeof found), static_cast<ssize_t>(sizeof found));
    EXPECT_TRUE(found.null[0] && found.null[1] && found.null[2]);
    close(pipe[0]);
    close(pipe[1]);
}

TEST(Daemonize, tells_the_caller_when_there_can_be_no_process)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    int pipe[2];
    ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
    EXPECT_EQ(in_child([&] {
                  // A user of whom there is no other process: with one more allowed the second fork fails, with none the first.
                  for (const rlim_t allowed : {rlim_t{2}, rlim_t{1}}) {
                      const int result = in_child([&] {
                          const rlimit limit{.rlim_cur = allowed, .rlim_max = allowed};
                          setrlimit(RLIMIT_NPROC, &limit);
                          if (setresgid(54321, 54321, 54321) != 0 || setresuid(54321, 54321, 54321) != 0) return 1;
                          const auto done = daemonize({pipe[1]}, &report, &pipe[1]);
                          if (done) return 2;
                          if (done.error().os_errno != EAGAIN) return 3;
                          return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD ? 0 : 4;
                      });
                      if (result != 0) return result;
                  }
                  return 0;
              }),
              0);
    close(pipe[1]);
    char byte = 0;
    EXPECT_EQ(read(pipe[0], &byte, 1), 0);  // nothing ran
    close(pipe[0]);
}

}  // namespace
}  // namespace steward::process
