// The launch again for every system call that it makes, each time with that one failing, or with the process killed in it. Whatever happens,
// there is a named error or a running program, and nothing is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "helpers/scratch.hpp"
#include "injector.hpp"
#include "os/main_block.hpp"

namespace steward::test {
namespace {

using testing::IsSubsetOf;

std::string description(const SystemCall& call)
{
    return "generation " + std::to_string(call.generation) + ", call " + std::to_string(call.index) + ": system call " +
           std::to_string(call.number) + "(" + std::to_string(call.first_argument) + ", …)";
}

// An error that the kernel could give; 0: the call cannot fail, or fails for memory alone.
int plausible_error(const SystemCall& call)
{
    static const std::map<std::uint64_t, int> errors{
        {SYS_pipe2, EMFILE},
        {SYS_clone3, EAGAIN},
        {SYS_clone, EAGAIN},
        {SYS_openat, ENFILE},
        {SYS_read, EIO},
        {SYS_write, EPIPE},
        {SYS_pwrite64, ENOSPC},
        {SYS_setsid, EPERM},
        {SYS_dup3, EBADF},
        {SYS_fcntl, EBADF},
        {SYS_setpriority, EACCES},
        {SYS_prlimit64, EPERM},
        {SYS_sched_setaffinity, EINVAL},
        {SYS_chroot, EPERM},
        {SYS_chdir, EACCES},
        {SYS_prctl, EPERM},
        {SYS_capget, EPERM},
        {SYS_capset, EPERM},
        {SYS_setgroups, EPERM},
        {SYS_setresgid, EPERM},
        {SYS_setresuid, EPERM},
        {SYS_execve, ENOMEM},
        {SYS_fstatfs, ENOSYS},
        {SYS_newfstatat, ENOMEM},
        {SYS_close_range, ENOSYS},
        {SYS_wait4, EINTR},
        {SYS_rt_sigaction, EINVAL},
        {SYS_pidfd_open, EMFILE},
        {SYS_pidfd_send_signal, EPERM},
#ifdef SYS_dup2
        {SYS_dup2, EBADF},
#endif
    };
    const auto found = errors.find(call.number);
    return found == errors.end() ? 0 : found->second;
}

class FaultSweep : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override
    {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
        // The program runs as another user in it.
        std::filesystem::permissions(scratch_.path(), std::filesystem::perms(0755));
    }

    Observation launch(const std::optional<Fault>& fault = {})
    {
        std::filesystem::remove(scratch_ / "record");
        return observe({STEWARD_LAUNCH_ONCE, scratch_.path(), GetParam()}, fault);
    }

    // Of the many alike (a reset for each signal, a look at each capability), two.
    std::vector<SystemCall> calls_to_fail(const std::vector<SystemCall>& calls)
    {
        std::vector<SystemCall> chosen;
        std::map<std::tuple<unsigned, std::uint64_t, std::uint64_t>, int> alike;
        for (const auto& call : calls) {
            const bool is_many = call.number == SYS_rt_sigaction || call.number == SYS_prctl;
            const std::uint64_t kind = call.number == SYS_prctl ? call.first_argument : 0;
            if (!is_many || ++alike[{call.generation, call.number, kind}] <= 2) chosen.push_back(call);
        }
        return chosen;
    }

    [[nodiscard]] std::set<std::string> files() const
    {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) names.insert(entry.path().filename());
        return names;
    }

    // The record's word on who was about to exec.
    [[nodiscard]] std::int64_t recorded_pid() const
    {
        const std::string bytes = content_of(scratch_ / "record");
        os::MainBlock block;
        if (bytes.size() < sizeof block) return 0;
        std::memcpy(&block, bytes.data(), sizeof block);
        return block.check == block.checksum() ? block.pid : 0;
    }

    void expect_nothing_left(const Observation& seen)
    {
        EXPECT_FALSE(seen.hung);
        EXPECT_FALSE(seen.others_live);
        EXPECT_FALSE(seen.executed_lives);
        EXPECT_THAT(files(), IsSubsetOf({"record", "lock", "output"}));
        EXPECT_EQ(seen.lines.size(), 1u) << testing::PrintToString(seen.lines);
    }

    ScratchDirectory scratch_;
};

TEST_P(FaultSweep, a_launch_without_a_fault_succeeds)
{
    const auto seen = launch();
    expect_nothing_left(seen);
    ASSERT_FALSE(seen.lines.empty());
    EXPECT_EQ(seen.lines[0], "ok " + std::to_string(recorded_pid()));
}

// The first child of a detached launch has made the second: from then on it only waits.
bool only_waits(const SystemCall& call, const std::vector<SystemCall>& calls)
{
    return call.generation == 1 && std::ranges::any_of(calls, [&](const SystemCall& other) {
               const bool forks = other.number == SYS_clone || other.number == SYS_clone3;
               return forks && other.generation == 1 && other.index < call.index;
           });
}

// What the launch can do without: a proof that privileges are gone is a call that fails; a child is known by its pidfd without /proc too.
bool may_succeed(const SystemCall& call, const std::vector<SystemCall>& calls)
{
    static const std::set<std::uint64_t> dispensable{SYS_fstatfs, SYS_newfstatat, SYS_close_range, SYS_wait4, SYS_pidfd_send_signal};
    const auto same_before = std::ranges::count_if(calls, [&](const SystemCall& other) {
        return other.generation == call.generation && other.number == call.number && other.index < call.index;
    });
    const bool proof = (call.number == SYS_setresuid || call.number == SYS_setresgid) && same_before > 0;
    const bool question = call.number == SYS_prctl && call.first_argument == PR_CAPBSET_READ;
    const bool look_at_proc = call.generation == 0 && (call.number == SYS_openat || (call.number == SYS_read && same_before == 2));
    const bool given_back = call.number == SYS_dup3 && call.generation == 0;
    return proof || question || given_back || look_at_proc || only_waits(call, calls) || dispensable.contains(call.number);
}

TEST_P(FaultSweep, every_failing_call_is_a_named_error_or_does_not_matter)
{
    const auto calls = calls_to_fail(launch().calls);
    ASSERT_GT(calls.size(), 30u);
    for (const auto& call : calls) {
        const int error = plausible_error(call);
        if (error == 0) continue;
        SCOPED_TRACE(description(call));
        const auto seen = launch(Fault{.generation = call.generation, .index = call.index, .error = error});
        expect_nothing_left(seen);
        if (seen.lines.empty()) continue;
        const bool succeeded = seen.lines[0].starts_with("ok ");
        EXPECT_TRUE(!succeeded || may_succeed(call, calls)) << seen.lines[0];
        EXPECT_THAT(seen.lines[0], testing::MatchesRegex("ok [0-9]+|error [0-9]+ cannot start once: .+"));
    }
}

TEST_P(FaultSweep, a_child_killed_in_any_call_is_an_error_until_it_runs_the_program)
{
    const auto calls = launch().calls;
    for (const auto& call : calls_to_fail(calls)) {
        if (call.generation == 0) continue;
        SCOPED_TRACE(description(call));
        const auto seen = launch(Fault{.generation = call.generation, .index = call.index});
        expect_nothing_left(seen);
        if (seen.lines.empty()) continue;
        // Once it has said that it is about to exec, its death is the program's.
        const bool may_be_the_programs = call.number == SYS_execve || call.number == SYS_exit_group;
        EXPECT_TRUE(seen.lines[0].starts_with("error ") || may_be_the_programs || only_waits(call, calls)) << seen.lines[0];
    }
}

TEST_P(FaultSweep, a_launcher_killed_in_any_call_leaves_no_program_that_is_not_in_the_record)
{
    for (const auto& call : launch().calls) {
        if (call.generation != 0) continue;
        SCOPED_TRACE(description(call));
        const auto seen = launch(Fault{.generation = 0, .index = call.index});
        EXPECT_FALSE(seen.hung);
        EXPECT_FALSE(seen.others_live);
        EXPECT_TRUE(!seen.executed_lives || seen.executed == recorded_pid());
    }
}

INSTANTIATE_TEST_SUITE_P(, FaultSweep, testing::Values("attached", "detach", "borrowed"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace steward::test
