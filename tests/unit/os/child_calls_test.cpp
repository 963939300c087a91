#include "os/child_calls.hpp"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/fd.hpp"

namespace steward::os::child {
namespace {

using test::in_child;

// Every check runs in a child, which can tell only by its exit code: the line of the first check that did not hold, modulo 251.
#define CHECK_OR_TELL(condition) \
    if (!(condition)) return __LINE__ % 251 + 1

TEST(ChildSession, is_new_and_led_by_the_child)
{
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(new_session() == 0);
                  CHECK_OR_TELL(getsid(0) == getpid() && getpgrp() == getpid());
                  CHECK_OR_TELL(new_session() == EPERM);
                  return 0;
              }),
              0);
}

TEST(ChildFork, is_told_on_both_sides)
{
    EXPECT_EQ(in_child([] {
                  const std::int32_t parent = pid();
                  std::int32_t child = -1;
                  CHECK_OR_TELL(fork_again(&child) == 0);
                  if (child == 0) exit(pid() != parent && getppid() == parent ? 7 : 1);
                  int status = -1;
                  CHECK_OR_TELL(waitpid(child, &status, 0) == child);
                  CHECK_OR_TELL(WIFEXITED(status) && WEXITSTATUS(status) == 7);
                  return 0;
              }),
              0);
}

TEST(ChildSignals, are_reset_whatever_was_inherited)
{
    EXPECT_EQ(in_child([] {
                  struct RawAction {
                      void (*handler)(int);
                      unsigned long flags, restorer, mask;
                  } ignore{SIG_IGN, 0, 0, 0}, now{};
                  constexpr int kept_by_glibc = 33;
                  signal(SIGPIPE, SIG_IGN);
                  signal(SIGHUP, SIG_IGN);
                  signal(SIGRTMAX, SIG_IGN);
                  signal(SIGTERM, [](int) {});
                  CHECK_OR_TELL(syscall(SYS_rt_sigaction, kept_by_glibc, &ignore, nullptr, 8UL) == 0);
                  CHECK_OR_TELL(block_all_signals() == 0);
                  sigset_t blocked;
                  sigprocmask(SIG_SETMASK, nullptr, &blocked);
                  CHECK_OR_TELL(sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGRTMAX) == 1);

                  CHECK_OR_TELL(reset_signals() == 0);
                  for (int signal = 1; signal < NSIG; ++signal) {
                      CHECK_OR_TELL(syscall(SYS_rt_sigaction, signal, nullptr, &now, 8UL) == 0 && now.handler == SIG_DFL);
                  }
                  sigprocmask(SIG_SETMASK, nullptr, &blocked);
                  CHECK_OR_TELL(sigisemptyset(&blocked) == 1);
                  return 0;
              }),
              0);
}

TEST(ChildDescriptors, are_duplicated_to_their_places_and_inherited_there)
{
    EXPECT_EQ(in_child([] {
                  int null = -1;
                  CHECK_OR_TELL(open_null(&null) == 0 && null > 2);
                  CHECK_OR_TELL((fcntl(null, F_GETFD) & FD_CLOEXEC) != 0);
                  CHECK_OR_TELL(duplicate_to(null, 0) == 0 && fcntl(0, F_GETFD) == 0);
                  char byte = 0;
                  CHECK_OR_TELL(read(0, &byte, 1) == 0 && write(0, &byte, 1) == 1);
                  CHECK_OR_TELL(duplicate_to(null, null) == 0 && fcntl(null, F_GETFD) == 0);
                  CHECK_OR_TELL(duplicate_to(-1, 0) == EBADF && duplicate_to(500, 500) == EBADF);
                  fcntl(null, F_SETFD, FD_CLOEXEC);
                  make_inheritable(null);
                  CHECK_OR_TELL(fcntl(null, F_GETFD) == 0);
                  return 0;
              }),
              0);
}

TEST(ChildDescriptors, are_closed_but_for_the_kept)
{
    EXPECT_EQ(in_child([] {
                  dup2(0, 50);
                  dup2(0, 51);
                  const int keep[] = {50};
                  close_all_but(keep);
                  CHECK_OR_TELL(fcntl(50, F_GETFD) >= 0 && fcntl(51, F_GETFD) < 0 && fcntl(2, F_GETFD) >= 0);
                  return 0;
              }),
              0);
}

TEST(ChildDirectory, is_changed_or_the_reason_told)
{
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(change_directory("/usr") == 0 && std::filesystem::current_path() == "/usr");
                  CHECK_OR_TELL(change_directory("/nowhere") == ENOENT);
                  CHECK_OR_TELL(change_directory("/etc/passwd") == ENOTDIR);
                  return 0;
              }),
              0);
}

TEST(ChildRoot, is_changed_together_with_the_directory)
{
    if (geteuid() != 0) GTEST_SKIP() << "chroot needs root";
    const test::ScratchDirectory scratch;
    scratch.write("marker", "");
    EXPECT_EQ(in_child([&] {
                  CHECK_OR_TELL(change_root("/nowhere") == ENOENT);
                  CHECK_OR_TELL(change_root(scratch.path().c_str()) == 0);
                  CHECK_OR_TELL(access("/marker", F_OK) == 0 && access("marker", F_OK) == 0 && access("../etc", F_OK) != 0);
                  return 0;
              }),
              0);
}

TEST(ChildLimits, are_set_with_infinity)
{
    EXPECT_EQ(in_child([] {
                  rlimit now{};
                  CHECK_OR_TELL(set_rlimit(RLIMIT_NOFILE, 64, 128) == 0);
                  CHECK_OR_TELL(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 64 && now.rlim_max == 128);
                  CHECK_OR_TELL(set_rlimit(RLIMIT_NOFILE, 128, 64) == EINVAL);
                  CHECK_OR_TELL(getrlimit(RLIMIT_CPU, &now) == 0);
                  if (now.rlim_max == RLIM_INFINITY) CHECK_OR_TELL(set_rlimit(RLIMIT_CPU, UINT64_MAX, UINT64_MAX) == 0);
                  CHECK_OR_TELL(set_rlimit(999, 1, 1) == EINVAL);
                  return 0;
              }),
              0);
}

TEST(ChildScheduling, takes_nice_and_affinity)
{
    EXPECT_EQ(
        in_child([] {
            CHECK_OR_TELL(set_nice(5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
            cpu_set_t allowed;
            CHECK_OR_TELL(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
            unsigned cpu = 0;
            while (!CPU_ISSET(cpu, &allowed)) ++cpu;
            const unsigned one[] = {cpu};
            CHECK_OR_TELL(set_affinity(one) == 0);
            CHECK_OR_TELL(sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) == 1 && CPU_ISSET(cpu, &allowed));
            const unsigned absent[] = {1023};
            const unsigned absurd[] = {5000};
            CHECK_OR_TELL(set_affinity(absent) == EINVAL && set_affinity(absurd) == EINVAL && set_affinity({}) == EINVAL);
            return 0;
        }),
        0);
}

TEST(ChildOomScore, is_written_as_the_kernel_reads_it)
{
    EXPECT_EQ(in_child([] {
                  for (const int value : {500, 1000, 7}) {
                      const int error = set_oom_score_adjust(value);
                      if (error == EACCES) continue;  // lowering needs CAP_SYS_RESOURCE
                      CHECK_OR_TELL(error == 0 && test::content_of("/proc/self/oom_score_adj") == std::to_string(value) + "\n");
                  }
                  const int negative = set_oom_score_adjust(-1000);
                  CHECK_OR_TELL(negative == EACCES || test::content_of("/proc/self/oom_score_adj") == "-1000\n");
                  CHECK_OR_TELL(set_oom_score_adjust(1001) == EINVAL && set_oom_score_adjust(-1001) == EINVAL);
                  return 0;
              }),
              0);
}

TEST(ChildCgroup, is_joined_by_writing_to_its_file)
{
    const test::ScratchDirectory scratch;  // stands in for a cgroup: what is written there is what counts
    const UniqueFd directory(open(scratch.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    EXPECT_EQ(join_cgroup(directory.get()), ENOENT);
    scratch.write("cgroup.procs", "");
    EXPECT_EQ(join_cgroup(directory.get()), 0);
    EXPECT_EQ(test::content_of(scratch / "cgroup.procs"), "0");
}

class ChildIdentity : public testing::Test {
  protected:
    static constexpr uid_t uid = 65534;
    static constexpr gid_t gid = 65533;

    void SetUp() override
    {
        if (geteuid() != 0) GTEST_SKIP() << "changing identities needs root";
    }
};

TEST_F(ChildIdentity, is_dropped_for_good_with_exactly_the_groups_told)
{
    EXPECT_EQ(in_child([] {
                  const std::vector<gid_t> groups{gid, 1234};
                  CHECK_OR_TELL(drop_groups(groups) == 0 && set_gid(gid) == 0 && set_uid(uid) == 0);
                  CHECK_OR_TELL(prove_dropped(uid, gid) == 0);
                  std::vector<gid_t> now(64);
                  now.resize(static_cast<std::size_t>(std::max(0, getgroups(64, now.data()))));
                  std::sort(now.begin(), now.end());
                  CHECK_OR_TELL((now == std::vector<gid_t>{1234, gid}));
                  CHECK_OR_TELL(set_uid(0) == EPERM && set_gid(0) == EPERM && drop_groups({}) == EPERM);
                  return 0;
              }),
              0);
}

TEST_F(ChildIdentity, has_no_groups_when_none_are_told)
{
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(drop_groups({}) == 0 && getgroups(0, nullptr) == 0);
                  return 0;
              }),
              0);
}

TEST_F(ChildIdentity, is_not_proven_while_any_way_back_is_left)
{
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(set_gid(gid) == 0 && seteuid(uid) == 0);  // the saved id is still root's
                  return prove_dropped(uid, gid) == EPERM ? 0 : 1;
              }),
              0);
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(setresgid(gid, gid, 0) == 0 && set_uid(uid) == 0);
                  return prove_dropped(uid, gid) == EPERM ? 0 : 1;
              }),
              0);
}

TEST_F(ChildIdentity, is_not_proven_for_other_ids)
{
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(set_gid(gid) == 0 && set_uid(uid) == 0);
                  CHECK_OR_TELL(prove_dropped(uid - 2, gid) == EPERM && prove_dropped(uid, gid - 1) == EPERM);
                  CHECK_OR_TELL(prove_dropped(0, 0) == EPERM);
                  return 0;
              }),
              0);
}

// Makes what is permitted effective again, as a program that kept its capabilities could.
bool regain(unsigned capability)
{
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct halves[_LINUX_CAPABILITY_U32S_3]{};
    if (syscall(SYS_capget, &header, halves) != 0) return false;
    halves[0].effective = 1U << capability;
    return syscall(SYS_capset, &header, halves) == 0;
}

TEST_F(ChildIdentity, is_not_proven_by_the_right_ids_alone)
{
    for (const unsigned capability : {unsigned{CAP_SETUID}, unsigned{CAP_SETGID}}) {
        EXPECT_EQ(in_child([&] {
                      CHECK_OR_TELL(keep_capabilities_over_setuid() == 0 && set_gid(gid) == 0 && set_uid(uid) == 0);
                      CHECK_OR_TELL(prove_dropped(uid, gid) == 0);
                      CHECK_OR_TELL(regain(capability));
                      return prove_dropped(uid, gid) == EPERM ? 0 : 1;
                  }),
                  0);
    }
}

TEST_F(ChildIdentity, may_be_root_or_have_its_group)
{
    EXPECT_EQ(in_child([] { return prove_dropped(0, 0); }), 0);
    EXPECT_EQ(in_child([] { return prove_dropped(0, gid) == EPERM ? 0 : 1; }), 0);
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(set_gid(0) == 0 && set_uid(uid) == 0);
                  return prove_dropped(uid, 0);
              }),
              0);
}

// "CapBnd" → its value in /proc/self/status.
std::uint64_t capability_set(const std::string& name)
{
    const std::string status = test::content_of("/proc/self/status");
    return std::stoull(status.substr(status.find(name + ":") + name.size() + 1), nullptr, 16);
}

constexpr std::uint64_t net_bind_service = 1 << 10;
constexpr std::uint64_t chown_files = 1 << 0;

TEST_F(ChildIdentity, is_bounded_to_the_capabilities_told)
{
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(raise_ambient(net_bind_service | chown_files) == 0);
                  CHECK_OR_TELL(bound_capabilities(net_bind_service) == 0);
                  CHECK_OR_TELL(capability_set("CapBnd") == net_bind_service);
                  CHECK_OR_TELL(capability_set("CapInh") == net_bind_service);
                  CHECK_OR_TELL(capability_set("CapAmb") == net_bind_service);
                  CHECK_OR_TELL(bound_capabilities(0) == 0 && capability_set("CapBnd") == 0);
                  return 0;
              }),
              0);
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(set_uid(uid) == 0);
                  return bound_capabilities(0) == EPERM ? 0 : 1;
              }),
              0);
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(bound_capabilities(0) == 0 && set_uid(uid) == 0);
                  return bound_capabilities(0);  // nothing left to drop: no privilege needed
              }),
              0);
}

TEST_F(ChildIdentity, keeps_ambient_capabilities_over_setuid_and_exec)
{
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    const int code = in_child([&] {
        CHECK_OR_TELL(keep_capabilities_over_setuid() == 0 && set_gid(gid) == 0 && set_uid(uid) == 0);
        CHECK_OR_TELL(prove_dropped(uid, gid) == 0);
        CHECK_OR_TELL(raise_ambient(net_bind_service) == 0);
        CHECK_OR_TELL(duplicate_to(pipe->write.get(), 1) == 0);
        char program[] = "grep", pattern[] = "^CapEff", file[] = "/proc/self/status";
        char* argv[] = {program, pattern, file, nullptr};
        char* environment[] = {nullptr};
        execute("/bin/grep", argv, environment);
        return 1;
    });
    EXPECT_EQ(code, 0);
    pipe->write.reset();
    EXPECT_EQ(read_all(pipe->read, 100).value(), "CapEff:\t0000000000000400\n");
}

TEST_F(ChildIdentity, cannot_raise_what_it_does_not_hold)
{
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(set_gid(gid) == 0 && set_uid(uid) == 0);
                  CHECK_OR_TELL(raise_ambient(net_bind_service) == EPERM && raise_ambient(0) == 0);
                  return 0;
              }),
              0);
}

TEST(ChildPrivileges, can_no_longer_grow)
{
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(no_new_privileges() == 0);
                  return test::content_of("/proc/self/status").find("NoNewPrivs:\t1") != std::string::npos ? 0 : 1;
              }),
              0);
}

TEST(ChildUmask, is_set_within_permission_bits)
{
    EXPECT_EQ(in_child([] {
                  set_umask(07027);
                  return umask(0) == 027 ? 0 : 1;
              }),
              0);
}

TEST(ChildBytes, are_written_whole_or_the_reason_told)
{
    const test::ScratchDirectory scratch;
    const UniqueFd file(open(scratch.write("file", "..........").c_str(), O_RDWR | O_CLOEXEC));
    EXPECT_EQ(write_bytes_at(file.get(), "block", 5, 2), 0);
    EXPECT_EQ(write_bytes(file.get(), "X", 1), 0);
    EXPECT_EQ(test::content_of(scratch / "file"), "X.block...");
    EXPECT_EQ(write_bytes(-1, "x", 1), EBADF);
    EXPECT_EQ(write_bytes_at(-1, "x", 1, 0), EBADF);
    EXPECT_EQ(write_bytes(-1, "", 0), 0);
}

TEST(ChildExec, returns_only_to_tell_why_not)
{
    const test::ScratchDirectory scratch;
    char name[] = "x";
    char* argv[] = {name, nullptr};
    char* environment[] = {nullptr};
    EXPECT_EQ(execute("/nowhere", argv, environment), ENOENT);
    EXPECT_EQ(execute(scratch.write("plain", "").c_str(), argv, environment), EACCES);
    const std::string garbage = scratch.write("garbage", "no program");
    ASSERT_EQ(chmod(garbage.c_str(), 0755), 0);
    EXPECT_EQ(execute(garbage.c_str(), argv, environment), ENOEXEC);
    EXPECT_EQ(in_child([&] { return execute("/bin/true", argv, environment); }), 0);
}

TEST(ChildStartTime, is_read_whatever_the_program_is_called)
{
    std::uint64_t ticks = 0;
    ASSERT_TRUE(own_start_time(&ticks));
    EXPECT_GT(ticks, 0U);
    EXPECT_EQ(in_child([] {
                  std::uint64_t before = 0, after = 1;
                  CHECK_OR_TELL(own_start_time(&before));
                  CHECK_OR_TELL(prctl(PR_SET_NAME, ") 1 2 (3") == 0);
                  CHECK_OR_TELL(own_start_time(&after) && after == before);
                  return 0;
              }),
              0);
}

TEST(ChildStartTime, is_unknown_without_proc)
{
    if (geteuid() != 0) GTEST_SKIP() << "chroot needs root";
    const test::ScratchDirectory empty;
    EXPECT_EQ(in_child([&] {
                  std::uint64_t ticks = 0;
                  CHECK_OR_TELL(change_root(empty.path().c_str()) == 0);
                  return own_start_time(&ticks) ? 1 : 0;
              }),
              0);
}

TEST(ChildWait, lasts_until_nobody_can_write_any_more)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(write(ends[1], "some", 4), 4);
    EXPECT_EQ(in_child([&] {
                  if (const pid_t writer = fork(); writer == 0) {
                      close(ends[0]);
                      _exit(write(ends[1], "more", 4) == 4 ? 0 : 1);
                  }
                  close(ends[1]);
                  return 0;
              }),
              0);
    close(ends[1]);
    EXPECT_EQ(wait_for_end(ends[0]), 0);
    close(ends[0]);
    EXPECT_EQ(wait_for_end(ends[0]), EBADF);
}

TEST(ChildOfParent, gets_the_signal_when_the_parent_ends_and_hears_of_a_parent_that_has_gone)
{
    EXPECT_EQ(in_child([] {
                  CHECK_OR_TELL(set_parent_death_signal(SIGKILL, getppid()) == 0);
                  int signal = 0;
                  CHECK_OR_TELL(prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == SIGKILL);
                  CHECK_OR_TELL(set_parent_death_signal(SIGKILL, getpid()) == ESRCH);
                  CHECK_OR_TELL(set_parent_death_signal(4711, getppid()) == EINVAL);
                  return 0;
              }),
              0);
}

}  // namespace
}  // namespace steward::os::child
