#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "helpers/in_child.hpp"
#include "os/process.hpp"
#include "test_child.hpp"

namespace steward::os {
namespace {

using std::chrono::seconds;

TEST(BootIdentity, is_the_same_for_all_processes_of_a_boot)
{
    const auto boot = boot_identity();
    ASSERT_TRUE(boot) << boot.error().message();
    EXPECT_EQ(boot->boot_id.size(), 36U);
    EXPECT_NE(boot->pid_namespace, 0U);
    EXPECT_EQ(test::in_child([&] { return boot_identity() == *boot ? 0 : 1; }), 0);
}

TEST(SelfIdentity, is_what_others_see)
{
    const ProcessIdentity self = self_identity();
    const auto seen = ProcessRef::open_pid(getpid());
    ASSERT_TRUE(seen && *seen);
    EXPECT_EQ(self.pid, getpid());
    EXPECT_EQ(self.start_time, (*seen)->identity().start_time);
    EXPECT_EQ(self.pidfs_inode, (*seen)->identity().pidfs_inode);
    EXPECT_EQ(self_pid(), getpid());
    EXPECT_EQ(parent_pid(), getppid());
    EXPECT_EQ(effective_uid(), geteuid());
    EXPECT_EQ(effective_gid(), getegid());
}

TEST(ResidentMemory, of_a_process_is_told_and_of_nobody_is_not)
{
    const auto memory = resident_memory(getpid());
    ASSERT_TRUE(memory);
    EXPECT_GT(*memory, 64U << 10);
    EXPECT_FALSE(resident_memory(1 << 22));
}

TEST(ResidentMemory, of_another_user_is_told_as_far_as_proc_does)
{
    const std::int32_t parent = getpid();
    EXPECT_EQ(test::in_child([parent] {
                  if (getuid() == 0 && !test::become_nobody()) return 1;
                  return resident_memory(parent).value_or(0) > 0 ? 0 : 2;
              }),
              0);
}

TEST(CatchesSignal, tells_handled_from_default_and_ignored)
{
    EXPECT_EQ(test::in_child([] {
                  ::signal(SIGUSR1, [](int) {});
                  ::signal(SIGUSR2, SIG_IGN);
                  ::signal(SIGHUP, SIG_DFL);
                  if (catches_signal(getpid(), SIGUSR1) != true) return 1;
                  if (catches_signal(getpid(), SIGUSR2) != false) return 2;
                  return catches_signal(getpid(), SIGHUP) == false ? 0 : 3;
              }),
              0);
}

TEST(CatchesSignal, of_nobody_is_not_running_and_of_no_signal_invalid)
{
    const auto nobody = catches_signal(1 << 22, SIGHUP);
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().code, ErrorCode::not_running);
    for (const int signal : {0, -1, 65}) {
        const auto invalid = catches_signal(getpid(), signal);
        ASSERT_FALSE(invalid);
        EXPECT_EQ(invalid.error().code, ErrorCode::invalid_argument);
    }
}

TEST(StartTime, becomes_the_time_of_day_at_which_the_process_started)
{
    const auto before = std::chrono::system_clock::now();
    const test::TestChild child([]() -> int { test::pause_for_ever(); });
    const auto stat = read_stat(child.pid());
    ASSERT_TRUE(stat && *stat);
    const auto started = start_time_to_clock((*stat)->start_time);
    ASSERT_TRUE(started);
    EXPECT_GE(*started, before - seconds(1));
    EXPECT_LE(*started, std::chrono::system_clock::now() + seconds(1));
}

TEST(Ticks, become_time)
{
    EXPECT_EQ(ticks_to_duration(static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK))), seconds(1));
    EXPECT_EQ(ticks_to_duration(0), seconds(0));
}

TEST(ProcessName, is_cut_to_what_the_kernel_keeps)
{
    EXPECT_EQ(test::in_child([] {
                  set_process_name("steward: keeper of web");
                  const auto stat = read_stat(getpid());
                  return stat && *stat && (*stat)->command == "steward: keeper" ? 0 : 1;
              }),
              0);
}

}  // namespace
}  // namespace steward::os
