#include "process/launcher.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "helpers/in_child.hpp"
#include "launching.hpp"
#include "os/cgroup.hpp"
#include "os/file_lock.hpp"
#include "os/main_block.hpp"

namespace steward::process {
namespace {

using test::helper;
using test::in_child;
using testing::HasSubstr;
using testing::Not;

class Launch : public test::Launching {};

TEST_F(Launch, gives_the_program_exactly_its_arguments_and_environment)
{
    auto plan = plan_of(helper("show_self"), {"", "a b", "\"'$x\\", "\n", "--", "é"});
    plan.argv[0] = "called so";
    const auto shown = show(plan);
    EXPECT_EQ(shown["argv"], R"(["called so", "", "a b", "\"'$x\\", "\u000a", "--", "é"])");
    EXPECT_EQ(shown["environment"], R"({"HELLO": "world"})");
}

TEST_F(Launch, tells_the_program_its_own_pid_beside_the_sockets)
{
    auto plan = plan_of(helper("show_self"));
    plan.environment = {"LISTEN_FDS=1", "LISTEN_PID=0", "LISTEN_PIDS=0"};
    plan.tells_listen_pid = true;
    const auto shown = show(plan);
    EXPECT_THAT(shown["environment"], HasSubstr(R"("LISTEN_PID": ")" + shown["pid"] + "\""));
    EXPECT_THAT(shown["environment"], HasSubstr(R"("LISTEN_PIDS": "0")"));
    EXPECT_EQ(plan.environment[1], "LISTEN_PID=0") << "the plan is for the next launch, too";
}

TEST_F(Launch, makes_a_session_without_a_terminal)
{
    const auto shown = show(plan_of(helper("show_self")));
    EXPECT_EQ(shown["sid"], shown["pid"]);
    EXPECT_EQ(shown["pgid"], shown["pid"]);
    EXPECT_EQ(shown["ppid"], std::to_string(getpid()));
    EXPECT_EQ(shown["tty"], "\"0\"");
}

TEST_F(Launch, stays_in_the_session_when_it_is_told_to)
{
    auto plan = plan_of(helper("show_self"));
    plan.new_session = false;
    EXPECT_EQ(show(plan)["sid"], std::to_string(getsid(0)));
}

TEST_F(Launch, leaves_open_what_the_plan_names_and_nothing_else)
{
    const int leaked = open("/etc/passwd", O_RDONLY);  // without close-on-exec
    ASSERT_GT(dup2(leaked, 200), 0);
    const auto shown = show(plan_of(helper("show_self")));
    EXPECT_EQ(shown["fds"], "{\"0\": \"/dev/null\", \"1\": \"" + output_path() + "\", \"2\": \"" + output_path() + "\"}");
    close(leaked);
    close(200);
}

// Their numbers are likely to be those of the launch's own descriptors: neither may overwrite the other.
TEST_F(Launch, passes_descriptors_on_under_the_numbers_that_were_asked_for)
{
    for (const int number : {3, 4, 5, 6, 7, 8, 9, 100}) {
        const std::string path = scratch_ / ("passed-" + std::to_string(number));
        const auto file = os::open_trusted(path, {.write = true, .create = true});
        ASSERT_TRUE(file);
        auto plan = plan_of(helper("show_self"));
        plan.passed = {{.fd = *file, .as = number}};
        EXPECT_EQ(show(plan)["fds"], "{\"0\": \"/dev/null\", \"1\": \"" + output_path() + "\", \"2\": \"" + output_path() + "\", \"" +
                                         std::to_string(number) + "\": \"" + path + "\"}");
    }
}

TEST_F(Launch, leaves_nothing_open_above_a_limit_of_its_own_either)
{
    const int leaked = open("/etc/passwd", O_RDONLY);
    ASSERT_GT(dup2(leaked, 200), 0);
    auto plan = plan_of(helper("show_self"));
    plan.limits = {{.resource = RLIMIT_NOFILE, .name = "nofile", .limit = {.soft = 8, .hard = 8}}};
    if (geteuid() == 0) plan.root_directory = "/";
    EXPECT_THAT(show(plan)["fds"], Not(HasSubstr("/etc/passwd")));
    close(leaked);
    close(200);
}

TEST_F(Launch, keeps_standard_error_apart_where_there_is_one)
{
    auto plan = plan_of(helper("exit_with"), {"3", "last words"});
    const auto file = os::open_trusted(scratch_ / "errors", {.write = true, .create = true});
    plan.standard_output = output();
    plan.standard_error = *file;
    auto launched = launch(plan);
    ASSERT_TRUE(launched);
    EXPECT_EQ(to_string(os::reap_blocking(launched->process.pid())->status), "exit code 3");
    EXPECT_EQ(test::content_of(scratch_ / "errors"), "last words\n");
    EXPECT_EQ(test::content_of(output_path()), "");
}

TEST_F(Launch, points_streams_that_nobody_gave_at_dev_null)
{
    auto plan = plan_of("/bin/sh", {"-c", "exec readlink /proc/self/fd/0 /proc/self/fd/2 > \"$1\"", "sh", scratch_ / "links"});
    auto launched = launch(plan);
    ASSERT_TRUE(launched);
    os::reap_blocking(launched->process.pid()).value();
    EXPECT_EQ(test::content_of(scratch_ / "links"), "/dev/null\n/dev/null\n");
}

TEST_F(Launch, resets_blocked_and_ignored_signals)
{
    EXPECT_EQ(in_child([&] {
                  sigset_t all;
                  sigfillset(&all);
                  sigprocmask(SIG_SETMASK, &all, nullptr);
                  // Not SIGCHLD: main() never leaves it ignored, and without pidfds a child that is reaped by nobody cannot be held.
                  for (const int signal : {SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGRTMIN}) std::signal(signal, SIG_IGN);
                  auto plan = plan_of(helper("show_self"));
                  plan.standard_output = output();
                  auto launched = launch(plan);
                  if (!launched) return 1;
                  return launched->process.wait({}) ? 0 : 2;
              }),
              0);
    const test::Shown shown(test::content_of(output_path()));
    EXPECT_EQ(shown["signals_blocked"], "\"0000000000000000\"");
    EXPECT_EQ(shown["signals_ignored"], "\"0000000000000000\"");
}

TEST_F(Launch, leaves_the_callers_signal_mask_as_it_was)
{
    sigset_t before, after;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR2);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    show(plan_of(helper("show_self")));
    EXPECT_FALSE(launch(plan_of("/none")));
    sigprocmask(SIG_SETMASK, nullptr, &after);
    for (int signal = 1; signal < SIGRTMAX; ++signal) EXPECT_EQ(sigismember(&after, signal), signal == SIGUSR2 ? 1 : 0) << signal;
    sigemptyset(&before);
    sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(Launch, survives_a_caller_without_standard_streams)
{
    const auto file = output();
    EXPECT_EQ(in_child([&] {
                  auto plan = plan_of(helper("show_self"));
                  plan.standard_output = file;
                  for (const int fd : {0, 1, 2}) close(fd);
                  auto launched = launch(plan);
                  if (!launched) return 1;
                  const auto reaped = os::reap_blocking(launched->process.pid());
                  return reaped && !reaped->status.signalled ? reaped->status.code : 2;
              }),
              0);
    EXPECT_EQ(test::Shown(test::content_of(output_path()))["fds"],
              "{\"0\": \"/dev/null\", \"1\": \"" + output_path() + "\", \"2\": \"" + output_path() + "\"}");
}

TEST_F(Launch, takes_descriptors_that_are_standard_streams_themselves)
{
    const int out = output().get();
    const int errors = open((scratch_ / "errors").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int record = open((scratch_ / "record").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    EXPECT_EQ(in_child([&] {
                  dup2(errors, 0);  // crosswise: each would be overwritten before its turn
                  dup2(record, 1);
                  dup2(out, 2);
                  auto plan = plan_of(helper("show_self"));
                  plan.standard_error = os::BorrowedFd(0);
                  plan.record = os::BorrowedFd(1);
                  plan.standard_output = os::BorrowedFd(2);
                  auto launched = launch(plan);
                  if (!launched) return 1;
                  const auto reaped = os::reap_blocking(launched->process.pid());
                  return reaped && !reaped->status.signalled ? reaped->status.code : 2;
              }),
              0);
    EXPECT_EQ(test::Shown(test::content_of(output_path()))["fds"],
              "{\"0\": \"/dev/null\", \"1\": \"" + output_path() + "\", \"2\": \"" + (scratch_ / "errors") + "\"}");
    EXPECT_EQ(std::filesystem::file_size(scratch_ / "record"), sizeof(os::MainBlock));
    close(errors);
    close(record);
}

TEST_F(Launch, lets_output_through_where_it_is_inherited)
{
    const int out = output().get();
    for (const bool has_errors : {true, false}) {
        EXPECT_EQ(in_child([&] {
                      dup2(out, 1);
                      has_errors ? dup2(out, 2) : close(2);
                      auto plan = plan_of(helper("show_self"));
                      plan.inherit_output = true;
                      auto launched = launch(plan);
                      if (!launched) return 1;
                      return launched->process.wait({}) ? 0 : 2;
                  }),
                  0);
        EXPECT_EQ(
            test::Shown(test::content_of(output_path()))["fds"],
            "{\"0\": \"/dev/null\", \"1\": \"" + output_path() + "\", \"2\": \"" + (has_errors ? output_path() : "/dev/null") + "\"}");
        ASSERT_EQ(ftruncate(out, 0), 0);
        ASSERT_EQ(lseek(out, 0, SEEK_SET), 0);
    }
}

TEST_F(Launch, writes_the_record_before_the_program_runs)
{
    const auto record = os::open_trusted(scratch_ / "record", {.read = true, .write = true, .create = true});
    auto plan = plan_of(helper("sleep_forever"));
    plan.record = *record;
    plan.limits = {{.resource = RLIMIT_FSIZE, .name = "fsize", .limit = {.soft = 0, .hard = 0}}};
    auto launched = launch(plan);
    ASSERT_TRUE(launched) << launched.error().message();
    os::MainBlock block;
    ASSERT_EQ(pread(record->get(), &block, sizeof block, os::MainBlock::offset), static_cast<ssize_t>(sizeof block));
    EXPECT_EQ(block, os::MainBlock::of(launched->process.pid(), launched->process.identity().start_time));
    ASSERT_TRUE(launched->process.signal(SIGKILL));
    os::reap_blocking(launched->process.pid()).value();
}

TEST_F(Launch, detached_is_nobodys_child_and_leads_no_session)
{
    auto plan = plan_of(helper("show_self"), {"--stay"});
    const auto record = os::open_trusted(scratch_ / "record", {.read = true, .write = true, .create = true});
    plan.record = *record;
    plan.standard_output = output();
    plan.detach = true;
    int ready[2];  // read to its end when the program has written what it shows: never, so its bytes are looked for
    ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
    plan.standard_output = os::BorrowedFd(ready[1]);
    auto launched = launch(plan);
    ASSERT_TRUE(launched) << launched.error().message();
    std::string json(65536, '\0');
    json.resize(static_cast<std::size_t>(read(ready[0], json.data(), json.size())));
    const test::Shown shown(json);
    const std::string pid = std::to_string(launched->process.pid());
    EXPECT_EQ(shown["pid"], pid);
    EXPECT_NE(shown["sid"], pid);
    EXPECT_NE(shown["sid"], std::to_string(getsid(0)));
    EXPECT_NE(shown["ppid"], std::to_string(getpid()));
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    os::MainBlock block;
    ASSERT_EQ(pread(record->get(), &block, sizeof block, os::MainBlock::offset), static_cast<ssize_t>(sizeof block));
    EXPECT_EQ(block, os::MainBlock::of(launched->process.pid(), launched->process.identity().start_time));
    ASSERT_TRUE(launched->process.signal(SIGKILL));
    EXPECT_TRUE(*launched->process.wait(std::chrono::seconds(10)));
    close(ready[0]);
    close(ready[1]);
}

TEST_F(Launch, a_detached_program_that_ends_at_once_was_launched_all_the_same)
{
    auto plan = plan_of(helper("exit_with"), {"3"});
    plan.detach = true;
    for (int i = 0; i < 50; ++i) {
        const auto launched = launch(plan);
        ASSERT_TRUE(launched) << launched.error().message();
        EXPECT_TRUE(*launched->process.wait(std::chrono::seconds(10)));
    }
}

TEST_F(Launch, is_not_stopped_by_a_cgroup_that_does_not_let_it_in)
{
    const auto no_cgroup = os::open_trusted(scratch_.path(), {.directory = true, .path_only = true});
    auto plan = plan_of(helper("show_self"));
    plan.cgroup = *no_cgroup;
    plan.standard_output = output();
    const auto launched = launch(plan);
    ASSERT_TRUE(launched) << launched.error().message();
    EXPECT_FALSE(launched->in_cgroup);
    EXPECT_EQ(to_string(os::reap_blocking(launched->process.pid())->status), "exit code 0");
}

TEST_F(Launch, is_born_in_the_cgroup_where_there_may_be_one)
{
    auto cgroup = os::Cgroup::create("steward-test-launch-" + std::to_string(getpid()));
    if (!cgroup) GTEST_SKIP() << "no cgroup of our own here";
    for (const bool detach : {false, true}) {
        auto plan = plan_of(helper("sleep_forever"));
        plan.cgroup = cgroup->directory();
        plan.detach = detach;
        const auto launched = launch(plan);
        ASSERT_TRUE(launched) << launched.error().message();
        EXPECT_TRUE(launched->in_cgroup);
        EXPECT_THAT(*cgroup->processes(), testing::Contains(launched->process.pid()));
        ASSERT_TRUE(launched->process.signal(SIGKILL));
        EXPECT_TRUE(*launched->process.wait(std::chrono::seconds(10)));
        if (!detach) os::reap_blocking(launched->process.pid()).value();
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (*cgroup->populated() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(cgroup->remove());
}

TEST_F(Launch, leaves_no_lock_with_the_program)
{
    auto lock = os::open_trusted(scratch_ / "lock", {.read = true, .write = true, .create = true});
    ASSERT_TRUE(*os::try_lock(*lock, 1));
    auto plan = plan_of(helper("sleep_forever"));
    plan.launch_lock = *lock;
    const auto launched = launch(plan);
    ASSERT_TRUE(launched) << launched.error().message();
    lock->reset();
    const auto again = os::open_trusted(scratch_ / "lock", {.read = true});
    EXPECT_FALSE(*os::is_locked(*again, 1));
    ASSERT_TRUE(launched->process.signal(SIGKILL));
    os::reap_blocking(launched->process.pid()).value();
}

}  // namespace
}  // namespace steward::process
