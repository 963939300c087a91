// Launches that fail: each is told by its step, and nothing is left of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>

#include "helpers/in_child.hpp"
#include "launching.hpp"
#include "process/launcher.hpp"

namespace steward::process {
namespace {

using test::helper;
using test::in_child;
using testing::HasSubstr;

class FailedLaunch : public test::Launching {
  protected:
    // Neither a child nor a descriptor may be left of a failed launch.
    Error failed(const LaunchPlan& plan)
    {
        const auto before = open_descriptors();
        const auto launched = launch(plan);
        EXPECT_FALSE(launched);
        EXPECT_EQ(open_descriptors(), before);
        EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
        EXPECT_EQ(errno, ECHILD);
        return launched ? Error{} : launched.error();
    }
    static std::size_t open_descriptors()
    {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
    }
};

TEST_F(FailedLaunch, a_missing_program_is_named)
{
    for (const bool detach : {false, true}) {
        auto plan = plan_of("/none/x");
        plan.detach = detach;
        const auto error = failed(plan);
        EXPECT_EQ(error.message(), "cannot start web: cannot execute '/none/x': No such file or directory");
        EXPECT_EQ(error.code, ErrorCode::program_missing);
        EXPECT_EQ(error.os_errno, ENOENT);
    }
}

TEST_F(FailedLaunch, a_program_that_may_not_be_executed_is_named)
{
    const auto path = scratch_.write("web", "");
    const auto error = failed(plan_of(path));
    EXPECT_EQ(error.message(), "cannot start web: cannot execute '" + path + "': Permission denied");
    EXPECT_EQ(error.code, ErrorCode::program_missing);
}

TEST_F(FailedLaunch, a_missing_interpreter_is_named)
{
    const auto path = scratch_.write("web", "#!/none/perl\n");
    std::filesystem::permissions(path, std::filesystem::perms(0755));
    const auto error = failed(plan_of(path));
    EXPECT_EQ(error.message(), "cannot start web: cannot execute '" + path + "': its interpreter '/none/perl' is missing");
    EXPECT_EQ(error.code, ErrorCode::program_missing);
}

TEST_F(FailedLaunch, a_file_that_is_no_program_fails_without_being_missing)
{
    const auto path = scratch_.write("web", "hello");
    std::filesystem::permissions(path, std::filesystem::perms(0755));
    const auto error = failed(plan_of(path));
    EXPECT_EQ(error.message(), "cannot start web: cannot execute '" + path + "': Exec format error");
    EXPECT_EQ(error.code, ErrorCode::failed);
}

TEST_F(FailedLaunch, a_step_that_fails_is_named_with_what_it_was_about)
{
    auto directory = plan_of(helper("show_self"));
    directory.working_directory = "/none";
    EXPECT_EQ(failed(directory).message(), "cannot start web: cannot change to the working directory '/none': No such file or directory");

    auto limit = plan_of(helper("show_self"));
    limit.limits = {{.resource = RLIMIT_CORE, .name = "core", .limit = {.soft = 0, .hard = 0}},
                    {.resource = RLIMIT_NOFILE, .name = "nofile", .limit = {.soft = 2, .hard = 1}}};
    EXPECT_EQ(failed(limit).message(), "cannot start web: cannot set the limit nofile: Invalid argument");

    auto affinity = plan_of(helper("show_self"));
    affinity.cpu_affinity = {1023};
    EXPECT_EQ(failed(affinity).message(), "cannot start web: cannot set cpu-affinity: Invalid argument");

    auto record = plan_of(helper("show_self"));
    const auto read_only = os::open_following("/dev/null", {.read = true});
    record.record = *read_only;
    EXPECT_EQ(failed(record).message(), "cannot start web: cannot write the record: Bad file descriptor");

    auto unnamed = directory;
    unnamed.service.clear();
    EXPECT_THAT(failed(unnamed).message(), HasSubstr("cannot start '" + helper("show_self") + "': "));
}

// From here on umask(2), which only the child calls, is the end of whoever calls it.
bool make_umask_deadly()
{
    sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{.len = std::size(filter), .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

TEST_F(FailedLaunch, a_process_that_is_killed_before_exec_is_an_error)
{
    for (const bool detach : {false, true}) {
        EXPECT_EQ(in_child([&] {
                      auto plan = plan_of(helper("show_self"));
                      plan.detach = detach;
                      if (!make_umask_deadly()) return 1;
                      const auto launched = launch(plan);
                      if (launched) return 2;
                      if (launched.error().message() != "cannot start web: the process was killed before it could execute the program")
                          return 3;
                      return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD ? 0 : 4;
                  }),
                  0);
    }
}

TEST(Stages, have_words_each)
{
    for (auto stage = static_cast<int>(Stage::fork); stage <= static_cast<int>(Stage::exec); ++stage) {
        EXPECT_NE(describe(static_cast<Stage>(stage)), describe(Stage::none)) << stage;
    }
}

}  // namespace
}  // namespace steward::process
