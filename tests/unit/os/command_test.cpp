#include "os/command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace steward::os {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Command, runs_to_its_end_and_tells_both_streams)
{
    const auto end = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"});
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_FALSE(end->succeeded());
    EXPECT_EQ(end->exit.code, 3);
    EXPECT_EQ(end->output, "out\nerr\n");
}

TEST(Command, a_signal_that_ended_it_is_told)
{
    const auto end = run_command({"/bin/sh", "-c", "kill -KILL $$"});
    ASSERT_TRUE(end);
    EXPECT_FALSE(end->succeeded());
    EXPECT_TRUE(end->exit.signalled);
    EXPECT_EQ(end->exit.code, 9);
}

TEST(Command, nothing_of_the_callers_environment_has_a_part_in_it)
{
    setenv("LD_PRELOADED", "yes", 1);
    setenv("PATH", "/nowhere", 1);
    const auto end = run_command({"env"});
    unsetenv("LD_PRELOADED");
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_THAT(end->output, HasSubstr("PATH=/usr/local/sbin:"));
    EXPECT_THAT(end->output, Not(HasSubstr("LD_PRELOADED")));
}

TEST(Command, it_can_be_told_more)
{
    const auto end = run_command_with({"NAME=value"}, {"env"});
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_THAT(end->output, HasSubstr("NAME=value\n"));
    EXPECT_THAT(end->output, HasSubstr("PATH=/usr/local/sbin:"));
}

TEST(Command, a_child_that_keeps_its_output_is_not_waited_for)
{
    const auto end = run_command({"sh", "-c", "sleep 5 & echo $!"});
    ASSERT_TRUE(end);
    EXPECT_TRUE(end->succeeded());
    const int pid = std::atoi(end->output.c_str());
    ASSERT_GT(pid, 0);
    kill(pid, SIGKILL);
}

TEST(Command, much_output_is_cut_to_its_end)
{
    const auto end = run_command({"sh", "-c", "yes | head -c 200000; echo last"});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->output.size(), 64u * 1024);
    EXPECT_TRUE(end->output.ends_with("last\n"));
}

TEST(Command, a_missing_program_is_named)
{
    const auto end = run_command({"no-such-tool"});
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code, ErrorCode::program_missing);
    EXPECT_THAT(end.error().message(), HasSubstr("'no-such-tool'"));
    EXPECT_EQ(run_command({}).error().code, ErrorCode::program_missing);
    EXPECT_EQ(find_tool("no-such-tool"), "");
    EXPECT_EQ(find_tool("/etc/passwd"), "");
}

}  // namespace
}  // namespace steward::os
