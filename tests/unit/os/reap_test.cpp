#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "helpers/in_child.hpp"
#include "os/process.hpp"
#include "os/spawn.hpp"
#include "test_child.hpp"

namespace steward::os {
namespace {

using test::TestChild;

int sleeper()
{
    test::pause_for_ever();
}

ProcessRef adopt(const TestChild& child)
{
    auto process = ProcessRef::adopt_child(child.pid(), UniqueFd());
    if (!process) std::abort();
    return std::move(*process);
}

TEST(Reap, tells_the_exit_code)
{
    TestChild child([] { return 42; });
    const ProcessRef process = adopt(child);
    child.wait_for_end();
    const auto reaped = reap(process);
    child.forget();
    ASSERT_TRUE(reaped && *reaped);
    EXPECT_EQ((*reaped)->pid, child.pid());
    EXPECT_FALSE((*reaped)->status.signalled);
    EXPECT_TRUE((*reaped)->status.known);
    EXPECT_EQ((*reaped)->status.code, 42);
    EXPECT_NE((*reaped)->status.at, std::chrono::system_clock::time_point());
}

TEST(Reap, tells_the_signal)
{
    TestChild child(sleeper);
    const ProcessRef process = adopt(child);
    ::kill(child.pid(), SIGTERM);
    child.wait_for_end();
    const auto reaped = reap(process);
    child.forget();
    ASSERT_TRUE(reaped && *reaped);
    EXPECT_TRUE((*reaped)->status.signalled);
    EXPECT_EQ((*reaped)->status.code, SIGTERM);
}

TEST(Reap, does_not_wait_for_a_running_child)
{
    const TestChild child(sleeper);
    const auto reaped = reap(adopt(child));
    ASSERT_TRUE(reaped);
    EXPECT_FALSE(reaped->has_value());
}

TEST(Reap, of_another_s_child_is_echild)
{
    const auto init = ProcessRef::open_pid(1);
    ASSERT_TRUE(init && *init);
    const auto reaped = reap(**init);
    ASSERT_FALSE(reaped);
    EXPECT_EQ(reaped.error().os_errno, ECHILD);
}

TEST(Reap, blocking_waits_for_the_end)
{
    const test::Meeting go;
    TestChild child([&] { return go.hear() == 1 ? 3 : 4; });
    go.tell();
    const auto reaped = reap_blocking(child.pid());
    child.forget();
    ASSERT_TRUE(reaped);
    EXPECT_EQ(reaped->status.code, 3);
    const auto again = reap_blocking(child.pid());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().os_errno, ECHILD);
}

// In a child, which has no other children.
TEST(ReapAny, takes_each_ended_child_once_and_then_none)
{
    EXPECT_EQ(test::in_child([] {
                  const auto none = reap_any();
                  if (!none || *none) return 1;
                  TestChild running(sleeper);
                  TestChild ended([] { return 5; });
                  ended.wait_for_end();
                  const auto reaped = reap_any();
                  ended.forget();
                  if (!reaped || !*reaped || (*reaped)->pid != ended.pid() || (*reaped)->status.code != 5) return 2;
                  const auto nothing = reap_any();
                  return nothing && !*nothing ? 0 : 3;
              }),
              0);
}

TEST(Subreaper, gets_the_orphans_of_its_tree)
{
    EXPECT_EQ(test::in_child([] {
                  if (!become_subreaper()) return 1;
                  const test::Meeting born;
                  TestChild parent([&] {
                      const pid_t orphan = ::fork();
                      if (orphan == 0) ::_exit(9);
                      born.tell(orphan);
                      return 0;
                  });
                  const std::int32_t orphan = born.hear();
                  parent.reap();
                  const auto reaped = reap_blocking(orphan);
                  return reaped && reaped->status.code == 9 ? 0 : 2;
              }),
              0);
}

}  // namespace
}  // namespace steward::os
