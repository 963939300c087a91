#include "init/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace steward::init {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A host whose policy-rc.d, if it has one, ends as the test wants it to.
class PolicyTest : public testing::Test {
  protected:
    std::optional<std::string> objection(const std::string& action, bool booted = true)
    {
        return objection_to(action, "web", "/policy", booted, [this](const Argv& command) -> Result<os::CommandEnd> {
            command_ = command;
            return answer_;
        });
    }
    void policy_exits(int code, std::string output = {})
    {
        os::CommandEnd end;
        end.exit.code = code;
        end.output = std::move(output);
        answer_ = end;
    }

    Argv command_;
    Result<os::CommandEnd> answer_ = fail(Error{.code = ErrorCode::program_missing});
};

TEST_F(PolicyTest, a_policy_is_asked_by_service_and_action)
{
    policy_exits(0);
    EXPECT_EQ(objection("start"), std::nullopt);
    EXPECT_THAT(command_, ElementsAre("/policy", "web", "start"));
}

TEST_F(PolicyTest, each_exit_code_means_what_debian_says)
{
    for (const int allowing : {0, 1, 104, 105}) {
        policy_exits(allowing);
        EXPECT_EQ(objection("start"), std::nullopt) << allowing;
    }
    policy_exits(101);
    EXPECT_EQ(objection("restart"), "policy-rc.d denies it");
    for (const int failing : {2, 100, 102, 103}) {
        policy_exits(failing);
        EXPECT_THAT(objection("start").value_or(""), HasSubstr("policy-rc.d failed, exit code " + std::to_string(failing)));
    }
}

TEST_F(PolicyTest, a_policy_that_wants_something_else_is_obeyed_as_far_as_it_wants_the_same)
{
    policy_exits(106, "stop restart\n");
    EXPECT_EQ(objection("restart"), std::nullopt);
    EXPECT_EQ(objection("start"), "policy-rc.d would have \"stop restart\" instead");
}

TEST_F(PolicyTest, a_policy_that_dies_or_cannot_be_run_allows_nothing)
{
    os::CommandEnd killed;
    killed.exit.signalled = true;
    killed.exit.code = 9;
    answer_ = killed;
    EXPECT_EQ(objection("start"), "policy-rc.d failed");
    answer_ = fail(Error{.code = ErrorCode::failed, .cause = "Exec format error"});
    EXPECT_EQ(objection("start"), "policy-rc.d cannot be asked: Exec format error");
}

TEST_F(PolicyTest, without_a_policy_the_booted_init_system_decides)
{
    EXPECT_EQ(objection("start", true), std::nullopt);
    EXPECT_THAT(objection("start", false).value_or(""), HasSubstr("no init system runs here"));
    EXPECT_EQ(objection("stop", false), std::nullopt);
}

TEST(PackagePolicy, outside_a_maintainer_script_nobody_is_asked)
{
    unsetenv("DPKG_MAINTSCRIPT_PACKAGE");
    EXPECT_EQ(steward::objection_to("start", "web"), std::nullopt);
}

}  // namespace
}  // namespace steward::init
