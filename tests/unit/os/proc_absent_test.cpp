// What is said of processes where /proc is missing, hides them, or is another PID namespace's: never that they are dead.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "helpers/denied.hpp"
#include "helpers/in_child.hpp"
#include "os/process.hpp"
#include "test_child.hpp"

namespace steward::os {
namespace {

constexpr int not_allowed = 77;  // this machine lets the tests have no namespaces

bool own_mounts()
{
    return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

template <class T>
bool is_undeterminable(const Result<T>& result)
{
    return !result && result.error().code == ErrorCode::undeterminable;
}

TEST(ProcAbsent, without_proc_nothing_is_called_dead)
{
    const ProcessIdentity parent = self_identity();
    const int code = test::in_child([parent] {
        if (!own_mounts() || mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return not_allowed;
        if (!is_undeterminable(ProcessRef::open(parent))) return 1;
        if (!is_undeterminable(ProcessRef::open_pid(parent.pid))) return 2;
        if (!is_undeterminable(ProcessRef::open_pid(1 << 22))) return 3;
        if (!is_undeterminable(read_stat(parent.pid))) return 4;
        if (!is_undeterminable(all_processes())) return 5;
        if (!is_undeterminable(boot_identity())) return 6;
        if (!is_undeterminable(catches_signal(parent.pid, 15))) return 7;
        if (self_identity().start_time != 0) return 8;
        return 0;
    });
    if (code == not_allowed) GTEST_SKIP() << "needs a mount namespace";
    EXPECT_EQ(code, 0);
}

TEST(ProcAbsent, a_child_is_held_without_proc_where_there_are_pidfds)
{
    const int code = test::in_child([] {
        if (!own_mounts() || mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return not_allowed;
        const test::TestChild child([]() -> int { test::pause_for_ever(); });
        const auto process = ProcessRef::adopt_child(child.pid(), UniqueFd());
        if (test::is_denied("pidfd_open")) return is_undeterminable(process) ? 0 : 1;
        if (!process || process->liveness() != Liveness::alive) return 2;
        return process->signal(SIGKILL) && process->wait({}) == true ? 0 : 3;
    });
    if (code == not_allowed) GTEST_SKIP() << "needs a mount namespace";
    EXPECT_EQ(code, 0);
}

TEST(ProcAbsent, a_process_that_proc_hides_is_not_called_dead)
{
    const ProcessIdentity parent = self_identity();
    const int code = test::in_child([parent] {
        if (!own_mounts() || mount("proc", "/proc", "proc", 0, "hidepid=2") != 0 || !test::become_nobody()) return not_allowed;
        if (!is_undeterminable(read_stat(parent.pid))) return 1;
        if (!is_undeterminable(ProcessRef::open(parent))) return 2;
        const auto nobody = read_stat(1 << 22);
        return nobody && !*nobody ? 0 : 3;
    });
    if (code == not_allowed) GTEST_SKIP() << "needs a mount namespace";
    EXPECT_EQ(code, 0);
}

TEST(ProcAbsent, another_pid_namespace_s_proc_proves_nothing)
{
    const int code = test::in_child([] {
        if (unshare(CLONE_NEWPID) != 0) return not_allowed;
        return test::in_child([] {                                                 // PID 1 there
            const test::TestChild child([]() -> int { test::pause_for_ever(); });  // PID 2, while /proc shows the outer PID 2
            if (!is_undeterminable(ProcessRef::open({.pid = child.pid(), .start_time = 1, .pidfs_inode = 0}))) return 1;
            if (!is_undeterminable(read_stat(1 << 22))) return 2;
            return is_undeterminable(all_processes()) ? 0 : 3;
        });
    });
    if (code == not_allowed) GTEST_SKIP() << "needs a PID namespace";
    EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace steward::os
