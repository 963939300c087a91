#include "os/spawn.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <string>

#include "helpers/denied.hpp"
#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/child_calls.hpp"
#include "os/signal_guard.hpp"

namespace steward::os {
namespace {

int exit_code_of(const Spawned& spawned)
{
    int status = -1;
    while (waitpid(spawned.child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Spawn, makes_the_value_of_the_body_the_exit_code)
{
    int code = 42;
    const auto spawned = spawn([](void* argument) noexcept { return *static_cast<int*>(argument); }, &code);
    ASSERT_TRUE(spawned);
    EXPECT_FALSE(spawned->in_cgroup);
    EXPECT_EQ(exit_code_of(*spawned), 42);
}

TEST(Spawn, gives_the_child_its_own_memory)
{
    int value = 1;
    const auto spawned = spawn(
        [](void* argument) noexcept {
            *static_cast<int*>(argument) = 2;
            return 0;
        },
        &value);
    ASSERT_TRUE(spawned);
    EXPECT_EQ(exit_code_of(*spawned), 0);
    EXPECT_EQ(value, 1);
}

// A borrower that runs in the tests' own process has to leave it as it was: so it only looks, and ends.
TEST(Spawn, stands_still_until_a_borrower_has_ended)
{
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    int end = pipe->write.get();
    const SignalGuard no_signals;
    const auto spawned = spawn(
        [](void* argument) noexcept {
            poll(nullptr, 0, 50);
            return write(*static_cast<int*>(argument), "x", 1) == 1 ? 7 : 1;
        },
        &end, {.borrows_memory = true, .borrows_descriptors = true});
    ASSERT_TRUE(spawned);
    if (!test::is_denied("clone3")) {
        pollfd written{.fd = pipe->read.get(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(poll(&written, 1, 0), 1) << "it was to have ended before";
    }
    EXPECT_EQ(exit_code_of(*spawned), 7);
}

TEST(Spawn, a_borrower_parts_from_the_descriptors_before_it_changes_them)
{
    struct Argument {
        int low, high;
    } argument{};
    const UniqueFd low(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const UniqueFd high(fcntl(low.get(), F_DUPFD_CLOEXEC, 200));
    ASSERT_TRUE(high);
    argument = {.low = low.get(), .high = high.get()};
    const SignalGuard no_signals;
    const auto spawned = spawn(
        [](void* given) noexcept {
            const auto [own_low, own_high] = *static_cast<Argument*>(given);
            if (child::own_descriptors_below(100) != 0) return 1;
            if (fcntl(own_low, F_GETFD) < 0) return 2;
            child::close_all_but({});
            return fcntl(own_low, F_GETFD) < 0 && fcntl(own_high, F_GETFD) < 0 ? 0 : 3;
        },
        &argument, {.borrows_memory = true, .borrows_descriptors = true});
    ASSERT_TRUE(spawned);
    EXPECT_EQ(exit_code_of(*spawned), 0);
    EXPECT_GE(fcntl(low.get(), F_GETFD), 0);
    EXPECT_GE(fcntl(high.get(), F_GETFD), 0);
}

TEST(Spawn, holds_the_child_by_a_pidfd_where_the_kernel_has_them)
{
    const auto spawned = spawn([](void*) noexcept { return 0; }, nullptr);
    ASSERT_TRUE(spawned);
    const bool expected = !test::is_denied("clone3") || !test::is_denied("pidfd_open");
    ASSERT_EQ(static_cast<bool>(spawned->child.pidfd), expected);
    if (expected) {
        EXPECT_NE(fcntl(spawned->child.pidfd.get(), F_GETFD) & FD_CLOEXEC, 0);
        pollfd end{.fd = spawned->child.pidfd.get(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(poll(&end, 1, 60'000), 1);
    }
    EXPECT_EQ(exit_code_of(*spawned), 0);
}

TEST(Spawn, sends_sigchld_as_fork_does)
{
    EXPECT_EQ(test::in_child([] {
                  sigset_t child_ended;
                  sigemptyset(&child_ended);
                  sigaddset(&child_ended, SIGCHLD);
                  sigprocmask(SIG_BLOCK, &child_ended, nullptr);
                  const auto spawned = spawn([](void*) noexcept { return 0; }, nullptr);
                  if (!spawned) return 2;
                  const timespec soon{.tv_sec = 60, .tv_nsec = 0};
                  siginfo_t what{};
                  return sigtimedwait(&child_ended, &what, &soon) == SIGCHLD && what.si_pid == spawned->child.pid ? 0 : 1;
              }),
              0);
}

TEST(Spawn, tells_a_refusal_by_the_kernel)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs a second user";
    EXPECT_EQ(test::in_child([] {
                  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
                  setrlimit(RLIMIT_NPROC, &none);
                  if (setresuid(65534, 65534, 65534) != 0) return 2;
                  const auto spawned = spawn([](void*) noexcept { return 0; }, nullptr);
                  return !spawned && spawned.error().os_errno == EAGAIN ? 0 : 1;
              }),
              0);
}

// Where the host lets root make a cgroup (v2): the directory, removed at the end.
class ScratchCgroup {
  public:
    ScratchCgroup()
    {
        for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
            const std::string path = std::string(mount) + "/steward-test-" + std::to_string(getpid());
            if (access((std::string(mount) + "/cgroup.procs").c_str(), W_OK) != 0 || mkdir(path.c_str(), 0755) != 0) continue;
            path_ = path;
            directory_ = UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            return;
        }
    }
    ~ScratchCgroup()
    {
        if (!path_.empty()) rmdir(path_.c_str());
    }
    ScratchCgroup(const ScratchCgroup&) = delete;
    ScratchCgroup& operator=(const ScratchCgroup&) = delete;

    [[nodiscard]] const UniqueFd& directory() const { return directory_; }

  private:
    std::string path_;
    UniqueFd directory_;
};

struct Birth {
    bool in_cgroup = true;
};

TEST(Spawn, is_born_outside_where_the_cgroup_will_not_have_it)
{
    const UniqueFd no_cgroup(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Birth birth;
    const auto spawned = spawn([](void* argument) noexcept { return static_cast<Birth*>(argument)->in_cgroup ? 1 : 0; }, &birth,
                               {.cgroup = no_cgroup, .born_in_cgroup = &birth.in_cgroup});
    ASSERT_TRUE(spawned);
    EXPECT_FALSE(spawned->in_cgroup);
    EXPECT_FALSE(birth.in_cgroup);
    EXPECT_EQ(exit_code_of(*spawned), 0) << "the child must know it, too";
}

TEST(Spawn, is_born_in_its_cgroup)
{
    const ScratchCgroup cgroup;
    if (!cgroup.directory()) GTEST_SKIP() << "this host lets us make no cgroup (v2)";
    Birth birth{.in_cgroup = false};
    auto gate = make_pipe();
    ASSERT_TRUE(gate);
    struct Argument {
        Birth& birth;
        Pipe& gate;
    } argument{.birth = birth, .gate = *gate};
    const auto spawned = spawn(
        [](void* given) noexcept {
            const auto& [own_birth, own_gate] = *static_cast<Argument*>(given);
            own_gate.write.reset();
            std::byte nothing{};
            static_cast<void>(read_some(own_gate.read, std::span(&nothing, 1)));
            return own_birth.in_cgroup ? 1 : 0;
        },
        &argument, {.cgroup = cgroup.directory(), .born_in_cgroup = &birth.in_cgroup});
    ASSERT_TRUE(spawned);
    const bool expected = !test::is_denied("clone3");
    EXPECT_EQ(spawned->in_cgroup, expected);
    const std::string group = test::content_of("/proc/" + std::to_string(spawned->child.pid) + "/cgroup");
    EXPECT_EQ(group.find("/steward-test-") != std::string::npos, expected) << group;
    gate->write.reset();
    EXPECT_EQ(exit_code_of(*spawned), expected ? 1 : 0);
}

}  // namespace
}  // namespace steward::os
