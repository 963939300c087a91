#include "os/signals.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "helpers/in_child.hpp"

namespace steward::os {
namespace {

TEST(Signals, a_blocked_signal_waits_to_be_taken_with_its_sender)
{
    EXPECT_EQ(test::in_child([] {
                  if (!block_signals({SIGTERM, SIGUSR1})) return 1;
                  ::kill(getpid(), SIGTERM);
                  std::int32_t sender = 0;
                  if (wait_for_signal({SIGTERM, SIGUSR1}, &sender) != SIGTERM || sender != getpid()) return 2;
                  ::raise(SIGUSR1);
                  return wait_for_signal({SIGUSR1}, nullptr) == SIGUSR1 ? 0 : 3;
              }),
              0);
}

TEST(Signals, an_interrupted_wait_goes_on)
{
    EXPECT_EQ(test::in_child([] {
                  if (!block_signals({SIGUSR1})) return 1;
                  ::signal(SIGALRM, [](int) { ::raise(SIGUSR1); });  // EINTR first, then what is waited for
                  ::ualarm(1000, 0);
                  return wait_for_signal({SIGUSR1}, nullptr) == SIGUSR1 ? 0 : 2;
              }),
              0);
}

TEST(Signals, what_is_no_signal_is_an_error)
{
    const auto result = block_signals({4711});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().os_errno, EINVAL);
    EXPECT_EQ(wait_for_signal({4711}, nullptr), -1);
}

TEST(Signals, reset_undoes_handlers_ignored_signals_and_the_mask)
{
    EXPECT_EQ(test::in_child([] {
                  ::signal(SIGHUP, [](int) {});
                  ignore_sigpipe();
                  if (!block_signals({SIGTERM})) return 1;
                  reset_signals();
                  struct sigaction action = {};
                  for (const int signal : {SIGHUP, SIGPIPE}) {
                      if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return 2;
                  }
                  sigset_t mask;
                  ::sigprocmask(SIG_BLOCK, nullptr, &mask);
                  return ::sigismember(&mask, SIGTERM) == 0 ? 0 : 3;
              }),
              0);
}

TEST(Signals, with_sigpipe_ignored_a_broken_pipe_is_an_error_and_no_death)
{
    EXPECT_EQ(test::in_child([] {
                  ignore_sigpipe();
                  int ends[2];
                  if (::pipe(ends) != 0) return 1;
                  ::close(ends[0]);
                  return ::write(ends[1], "x", 1) < 0 && errno == EPIPE ? 0 : 2;
              }),
              0);
}

TEST(Signals, unblock_all_lets_a_pending_signal_through)
{
    EXPECT_EQ(test::in_child([] {
                  if (!block_signals({SIGTERM})) return 1;
                  ::raise(SIGTERM);
                  unblock_all_signals();
                  return 2;
              }),
              1000 + SIGTERM);
}

TEST(Signals, children_that_were_ignored_can_be_waited_for_again_and_a_handler_stays)
{
    EXPECT_EQ(test::in_child([] {
                  ::signal(SIGCHLD, SIG_IGN);
                  expect_children();
                  if (test::in_child([] { return 7; }) != 7) return 1;
                  ::signal(SIGCHLD, [](int) {});
                  expect_children();
                  return ::signal(SIGCHLD, SIG_DFL) == SIG_DFL ? 2 : 0;
              }),
              0);
}

}  // namespace
}  // namespace steward::os
