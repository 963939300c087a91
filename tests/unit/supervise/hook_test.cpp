#include "supervise/hook.hpp"

#include <gmock/gmock.h>

#include "supervising.hpp"

namespace steward::supervise {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class Hooks : public test::Looping {
  protected:
    HookRun::Failure run(Commands commands, Duration timeout = 60s)
    {
        HookRun::Failure failure;
        bool done = false;
        const auto told = [&](const HookRun::Failure& why) { failure = why, done = true; };
        HookRun hook(*loop_, Hook::pre_start, std::move(commands), timeout, told,
                     {.started = [this](const os::ProcessIdentity& command) { started_.push_back(command); }});
        EXPECT_TRUE(run_until([&] { return done; }));
        return failure;
    }
    [[nodiscard]] process::LaunchPlan say(const std::string& word) { return test::shell("echo " + word + " >>" + said_.string()); }

    test::ScratchDirectory scratch_;
    std::filesystem::path said_ = scratch_ / "said";
    std::vector<os::ProcessIdentity> started_;
};

TEST_F(Hooks, succeed_when_every_command_has)
{
    EXPECT_EQ(run({say("one"), say("two")}), std::nullopt);
    EXPECT_EQ(test::content_of(said_), "one\ntwo\n");
    EXPECT_EQ(started_.size(), 2U);
}

TEST_F(Hooks, end_with_the_first_command_that_fails)
{
    EXPECT_EQ(run({say("one"), test::shell("exit 3"), say("two")}), "its pre-start hook '/bin/sh' ended with exit code 3");
    EXPECT_EQ(test::content_of(said_), "one\n");
}

TEST_F(Hooks, fail_when_a_command_takes_too_long)
{
    EXPECT_EQ(run({test::shell("sleep 1000")}, 50ms), "its pre-start hook '/bin/sh' did not end within 50 ms and was killed");
    EXPECT_TRUE(run_until([&] { return !test::lives(started_.at(0)); }));
}

TEST_F(Hooks, that_cannot_be_executed_have_failed)
{
    EXPECT_THAT(run({test::plan_of({"/no/such/program"})}).value_or(""), HasSubstr("could not be run"));
}

TEST_F(Hooks, are_ended_without_the_commands_that_were_to_come)
{
    bool done = false;
    std::unique_ptr<HookRun> hook;
    const auto told = [&](const HookRun::Failure&) { done = true, hook.reset(); };
    hook = std::make_unique<HookRun>(*loop_, Hook::post_stop, Commands{test::shell("sleep 1000"), say("late")}, 60s, told,
                                     HookRun::Told{.started = [&](const os::ProcessIdentity&) { hook->end(); }});
    EXPECT_TRUE(run_until([&] { return done; }));
    EXPECT_EQ(test::content_of(said_), "");
}

TEST(HookNewsTest, is_told_in_the_environment_whatever_the_service_file_has_there)
{
    process::LaunchPlan plan;
    plan.environment = {"PATH=/bin", "STEWARD_EVENT=mine"};
    tell(plan, Hook::on_failure, {.service = "web", .last_exit = ExitStatus{.signalled = true, .code = 9}, .restarts = 4});
    EXPECT_THAT(plan.environment, ElementsAre("PATH=/bin", "STEWARD_NAME=web", "STEWARD_EVENT=on-failure",
                                              "STEWARD_EXIT_CODE=", "STEWARD_SIGNAL=KILL", "STEWARD_RESTARTS=4"));
    tell(plan, Hook::post_stop, {.service = "web", .last_exit = ExitStatus{.code = 0}});
    EXPECT_THAT(plan.environment, testing::IsSupersetOf({"STEWARD_EVENT=post-stop", "STEWARD_EXIT_CODE=0", "STEWARD_SIGNAL="}));
    tell(plan, Hook::post_stop, {.service = "web", .last_exit = ExitStatus{.known = false}});
    EXPECT_THAT(plan.environment, testing::IsSupersetOf({"STEWARD_EXIT_CODE=", "STEWARD_SIGNAL="}));
}

TEST(HookPlansTest, name_every_hook_of_the_service_file)
{
    ServiceSpec spec;
    spec.hooks = {.pre_start = {{"a"}},
                  .post_start = {{"b"}},
                  .pre_stop = {{"c"}},
                  .post_stop = {{"d"}},
                  .on_failure = {{"e"}},
                  .on_give_up = {{"f"}}};
    std::string all;
    for (const Hook hook : every_hook) all += commands_of(spec, hook).at(0).at(0) + " " + std::string(to_string(hook)) + "\n";
    EXPECT_EQ(all, "a pre-start\nb post-start\nc pre-stop\nd post-stop\ne on-failure\nf on-give-up\n");
}

}  // namespace
}  // namespace steward::supervise
