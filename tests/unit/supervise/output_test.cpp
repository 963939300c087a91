#include "supervise/output.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "os/fd.hpp"
#include "supervising.hpp"

namespace steward::supervise {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OutputTest : public testing::Test {
  protected:
    [[nodiscard]] OutputTarget to_file() const
    {
        return {.kind = OutputTarget::Kind::file, .log_file = scratch_ / "web.log", .stderr_file = {}, .system_scope = false};
    }
    static void run(const Output& output, const std::string& script)
    {
        auto plan = test::shell(script);
        output.lend_to(plan);
        test::Program program(plan);
        static_cast<void>(program.wait());
    }
    test::ScratchDirectory scratch_;
};

TEST_F(OutputTest, of_a_program_goes_to_the_log_and_comes_back_as_its_last_lines)
{
    const auto output = Output::open(to_file());
    ASSERT_TRUE(output);
    run(*output, "echo one; echo two >&2; echo three");
    EXPECT_EQ(test::content_of(scratch_ / "web.log"), "one\ntwo\nthree\n");
    EXPECT_THAT(output->last_lines(2), ElementsAre("two", "three"));
}

TEST_F(OutputTest, of_an_earlier_launch_is_not_told_again)
{
    const auto first = Output::open(to_file());
    ASSERT_TRUE(first);
    run(*first, "echo old");
    const auto second = Output::open(to_file());
    ASSERT_TRUE(second);
    EXPECT_THAT(second->last_lines(10), IsEmpty());
    run(*second, "echo new");
    EXPECT_THAT(second->last_lines(10), ElementsAre("new"));
}

TEST_F(OutputTest, of_standard_error_goes_to_its_own_file_and_is_told_first)
{
    auto target = to_file();
    target.stderr_file = scratch_ / "web.err";
    const auto output = Output::open(target);
    ASSERT_TRUE(output);
    run(*output, "echo out");
    EXPECT_THAT(output->last_lines(10), ElementsAre("out"));
    run(*output, "echo err >&2");
    EXPECT_THAT(output->last_lines(10), ElementsAre("err"));
    EXPECT_EQ(test::content_of(scratch_ / "web.log"), "out\n");
    EXPECT_EQ(test::content_of(scratch_ / "web.err"), "err\n");
}

TEST_F(OutputTest, to_nowhere_opens_no_file_and_tells_nothing)
{
    const auto output = Output::open({.kind = OutputTarget::Kind::null});
    ASSERT_TRUE(output);
    process::LaunchPlan plan;
    output->lend_to(plan);
    EXPECT_FALSE(plan.inherit_output);
    EXPECT_FALSE(plan.standard_output);
    EXPECT_THAT(output->last_lines(10), IsEmpty());
}

TEST_F(OutputTest, to_stewards_own_is_inherited)
{
    const auto output = Output::open({.kind = OutputTarget::Kind::inherit});
    ASSERT_TRUE(output);
    process::LaunchPlan plan;
    output->lend_to(plan);
    EXPECT_TRUE(plan.inherit_output);
}

TEST_F(OutputTest, to_a_link_is_refused)
{
    ASSERT_EQ(symlink("/dev/null", (scratch_ / "web.log").c_str()), 0);
    EXPECT_FALSE(Output::open(to_file()));
}

TEST_F(OutputTest, is_refused_when_only_the_file_of_standard_error_cannot_be_opened)
{
    auto target = to_file();
    target.stderr_file = scratch_ / "web.err";
    ASSERT_EQ(mkdir(target.stderr_file.c_str(), 0755), 0);
    EXPECT_FALSE(Output::open(target));
}

}  // namespace
}  // namespace steward::supervise
