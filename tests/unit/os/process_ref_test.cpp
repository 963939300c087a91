#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <csignal>
#include <cstdio>

#include "helpers/denied.hpp"
#include "helpers/in_child.hpp"
#include "os/process.hpp"
#include "test_child.hpp"

namespace steward::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::Meeting;
using test::pause_for_ever;
using test::TestChild;

ProcessRef ref_of(std::int32_t pid)
{
    auto process = ProcessRef::open_pid(pid);
    if (!process || !*process) std::abort();
    return std::move(**process);
}

bool has_pidfds()
{
    return !test::is_denied("pidfd_open");
}

bool kernel_is_at_least(int major, int minor)
{
    utsname name = {};
    int has_major = 0;
    int has_minor = 0;
    return uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &has_major, &has_minor) == 2 &&
           std::pair(has_major, has_minor) >= std::pair(major, minor);
}

int sleeper()
{
    pause_for_ever();
}

TEST(ProcessRef, a_running_process_is_found_by_its_identity_and_alive)
{
    const TestChild child(sleeper);
    const ProcessRef first = ref_of(child.pid());
    EXPECT_EQ(first.pid(), child.pid());
    EXPECT_GT(first.identity().start_time, 0U);
    EXPECT_EQ(static_cast<bool>(first.pidfd()), has_pidfds());

    const auto again = ProcessRef::open(first.identity());
    ASSERT_TRUE(again && *again);
    EXPECT_EQ((*again)->liveness(), Liveness::alive);
}

TEST(ProcessRef, a_zombie_is_dead)
{
    const TestChild child([] { return 0; });
    child.wait_for_end();
    EXPECT_EQ(ref_of(child.pid()).liveness(), Liveness::dead);
}

TEST(ProcessRef, a_reaped_process_is_dead_to_who_holds_it_and_found_by_nobody_else)
{
    TestChild child(sleeper);
    const ProcessRef process = ref_of(child.pid());
    ::kill(child.pid(), SIGKILL);
    child.reap();
    EXPECT_EQ(process.liveness(), Liveness::dead);
    const auto by_identity = ProcessRef::open(process.identity());
    const auto by_number = ProcessRef::open_pid(process.pid());
    ASSERT_TRUE(by_identity && by_number);
    EXPECT_FALSE(by_identity->has_value());
    EXPECT_FALSE(by_number->has_value());
}

TEST(ProcessRef, a_reused_pid_is_not_the_process_of_the_record)
{
    const TestChild child(sleeper);
    ProcessIdentity earlier = ref_of(child.pid()).identity();
    earlier.start_time -= 1;
    const auto process = ProcessRef::open(earlier);
    ASSERT_TRUE(process);
    EXPECT_FALSE(process->has_value());
}

TEST(ProcessRef, another_pidfs_inode_is_another_process_even_with_the_same_start_time)
{
    const TestChild child(sleeper);
    ProcessIdentity other = ref_of(child.pid()).identity();
    const bool has_inodes = other.pidfs_inode != 0;
    EXPECT_EQ(has_inodes, has_pidfds() && kernel_is_at_least(6, 9));
    other.pidfs_inode += 1;
    const auto process = ProcessRef::open(other);
    ASSERT_TRUE(process);
    EXPECT_EQ(process->has_value(), !has_inodes);
}

TEST(ProcessRef, a_record_from_before_pidfs_is_believed_by_its_start_time)
{
    const TestChild child(sleeper);
    ProcessIdentity identity = ref_of(child.pid()).identity();
    identity.pidfs_inode = 0;
    const auto process = ProcessRef::open(identity);
    ASSERT_TRUE(process);
    EXPECT_TRUE(process->has_value());
}

TEST(ProcessRef, an_identity_without_a_start_time_proves_nothing)
{
    const TestChild child(sleeper);
    const auto process = ProcessRef::open({.pid = child.pid(), .start_time = 0, .pidfs_inode = 0});
    ASSERT_FALSE(process);
    EXPECT_EQ(process.error().code, ErrorCode::undeterminable);
}

TEST(ProcessRef, a_thread_or_an_impossible_number_is_no_process)
{
    for (const std::int32_t pid : {0, -1, -5, 1 << 30}) {
        const auto process = ProcessRef::open_pid(pid);
        ASSERT_TRUE(process) << process.error().message();
        EXPECT_FALSE(process->has_value()) << pid;
    }
}

TEST(ProcessRef, a_process_of_another_user_is_alive_though_it_cannot_be_signalled)
{
    const std::int32_t parent = getuid() == 0 ? getpid() : 1;
    EXPECT_EQ(test::in_child([parent] {
                  if (getuid() == 0 && !test::become_nobody()) return 1;
                  const auto process = ProcessRef::open_pid(parent);
                  if (!process || !*process) return 2;
                  if ((*process)->liveness() != Liveness::alive) return 3;
                  const auto signalled = (*process)->signal(SIGTERM);
                  return !signalled && signalled.error().code == ErrorCode::not_permitted ? 0 : 4;
              }),
              0);
}

int tell_and_pause(void* ready)
{
    static_cast<const Meeting*>(ready)->tell();
    pause_for_ever();
}

// The first thread ends; another lives on. By clone(2) itself: the C library's threads ask for clone3, which the tests may be denied.
int end_first_thread(Meeting& ready)
{
    static char stack[64 << 10];
    constexpr int as_thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    if (::clone(tell_and_pause, stack + sizeof stack, as_thread, &ready) < 0) return 1;
    ::syscall(SYS_exit, 0);  // of this thread alone
    return 0;
}

TEST(ProcessRef, a_process_whose_first_thread_has_ended_is_alive)
{
    Meeting ready;
    const TestChild child([&] { return end_first_thread(ready); });
    const ProcessRef process = ref_of(child.pid());
    ASSERT_EQ(ready.hear(), 1);
    while (true) {  // the end of a single thread can only be looked for
        const auto stat = read_stat(child.pid());
        ASSERT_TRUE(stat && *stat);
        if ((*stat)->state == 'Z') break;
        sched_yield();
    }
    EXPECT_EQ(process.liveness(), Liveness::alive);
    EXPECT_TRUE(process.signal(SIGKILL));
    EXPECT_EQ(process.wait({}), true);
}

TEST(ProcessRef, signal_reaches_the_process)
{
    TestChild child(sleeper);
    ASSERT_TRUE(ref_of(child.pid()).signal(SIGTERM));
    const int status = child.reap();
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

TEST(ProcessRef, signal_to_what_has_ended_is_not_running)
{
    TestChild child([] { return 0; });
    const ProcessRef process = ref_of(child.pid());
    child.wait_for_end();
    const auto to_zombie = process.signal(SIGTERM);
    child.reap();
    const auto to_nobody = process.signal(SIGTERM);
    for (const auto& result : {to_zombie, to_nobody}) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::not_running);
        EXPECT_EQ(result.error().message(), "cannot signal process " + std::to_string(process.pid()) + ": it has ended");
    }
}

TEST(ProcessRef, signal_that_does_not_exist_is_an_error)
{
    const auto result = ref_of(getpid()).signal(4711);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().os_errno, EINVAL);
}

// Leads a group of two; tells the PID of the other.
int lead_group(const Meeting& ready)
{
    ::setpgid(0, 0);
    const pid_t member = ::fork();
    if (member == 0) pause_for_ever();
    ready.tell(member);
    pause_for_ever();
}

TEST(ProcessRef, signal_group_reaches_leader_and_members)
{
    const Meeting ready;
    TestChild leader([&] { return lead_group(ready); });
    const ProcessRef member = ref_of(ready.hear());
    ASSERT_TRUE(ref_of(leader.pid()).signal_group(SIGTERM));
    EXPECT_EQ(WTERMSIG(leader.reap()), SIGTERM);
    EXPECT_EQ(member.wait(milliseconds(10'000)), true);
}

TEST(ProcessRef, signal_group_without_its_leader_reaches_the_members_or_says_that_it_cannot)
{
    const Meeting ready;
    TestChild leader([&] { return lead_group(ready); });
    const ProcessRef process = ref_of(leader.pid());
    const ProcessRef member = ref_of(ready.hear());
    ::kill(leader.pid(), SIGKILL);
    leader.reap();
    const auto result = process.signal_group(SIGTERM);
    if (has_pidfds() && !test::is_denied("pidfd_send_signal") && kernel_is_at_least(6, 9)) {
        EXPECT_TRUE(result);
    } else {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::not_running);
        EXPECT_TRUE(member.signal(SIGTERM));
    }
    EXPECT_EQ(member.wait(milliseconds(10'000)), true);
}

TEST(ProcessRef, signal_group_of_a_process_that_leads_none_signals_nobody)
{
    const TestChild child(sleeper);  // a member of this test's own group
    const auto result = ref_of(child.pid()).signal_group(SIGTERM);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::not_running);
}

TEST(ProcessRef, signal_group_of_pid_1_is_refused)
{
    const auto init = ProcessRef::open_pid(1);
    ASSERT_TRUE(init && *init);
    const auto result = (*init)->signal_group(0);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
}

TEST(ProcessRef, wait_ends_with_the_process_and_not_before_its_time_out)
{
    const TestChild child(sleeper);
    const ProcessRef process = ref_of(child.pid());
    const auto before = steady_clock::now();
    EXPECT_EQ(process.wait(milliseconds(20)), false);
    EXPECT_GE(steady_clock::now() - before, milliseconds(20));
    ::kill(child.pid(), SIGKILL);
    EXPECT_EQ(process.wait({}), true);
    EXPECT_EQ(process.wait(milliseconds(0)), true);
}

TEST(ProcessRef, a_child_is_adopted_with_and_without_its_pidfd)
{
    const TestChild child(sleeper);
    const auto bare = ProcessRef::adopt_child(child.pid(), UniqueFd());
    ASSERT_TRUE(bare) << bare.error().message();
    EXPECT_EQ(static_cast<bool>(bare->pidfd()), has_pidfds());
    EXPECT_EQ(bare->identity().start_time, ref_of(child.pid()).identity().start_time);
    if (!has_pidfds()) return;
    auto pidfd = duplicate(bare->pidfd());
    ASSERT_TRUE(pidfd);
    const auto with_pidfd = ProcessRef::adopt_child(child.pid(), std::move(*pidfd));
    ASSERT_TRUE(with_pidfd);
    EXPECT_EQ(with_pidfd->identity().pidfs_inode, bare->identity().pidfs_inode);
    EXPECT_EQ(with_pidfd->liveness(), Liveness::alive);
}

// The parent of a process that ends as told: hears when, and tells when it has reaped it.
template <class End>
int parent_of(const Meeting& born, const Meeting& go, const Meeting& reaped, End end)
{
    const pid_t pid = ::fork();
    if (pid == 0) {
        go.hear();
        end();
        pause_for_ever();
    }
    born.tell(pid);
    ::waitpid(pid, nullptr, 0);
    reaped.tell();
    pause_for_ever();
}

template <class End>
std::optional<ExitStatus> foreign_status_after(End end)
{
    const Meeting born;
    const Meeting go;
    const Meeting reaped;
    const TestChild parent([&] { return parent_of(born, go, reaped, end); });
    const ProcessRef process = ref_of(born.hear());
    EXPECT_EQ(process.foreign_exit_status(), std::nullopt) << "it runs";
    go.tell();
    EXPECT_EQ(reaped.hear(), 1);
    return process.foreign_exit_status();
}

TEST(ProcessRef, the_exit_code_of_a_process_that_is_not_a_child_is_told_where_the_kernel_keeps_it)
{
    const auto status = foreign_status_after([] { ::_exit(7); });
    ASSERT_EQ(status.has_value(), has_pidfds() && kernel_is_at_least(6, 15));
    if (!status) return;
    EXPECT_TRUE(status->known);
    EXPECT_FALSE(status->signalled);
    EXPECT_EQ(status->code, 7);
}

TEST(ProcessRef, the_signal_that_ended_a_process_that_is_not_a_child_is_told_where_the_kernel_keeps_it)
{
    const auto status = foreign_status_after([] { ::raise(SIGKILL); });
    ASSERT_EQ(status.has_value(), has_pidfds() && kernel_is_at_least(6, 15));
    if (!status) return;
    EXPECT_TRUE(status->signalled);
    EXPECT_EQ(status->code, SIGKILL);
}

}  // namespace
}  // namespace steward::os
