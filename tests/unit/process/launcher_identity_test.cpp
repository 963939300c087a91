// What only a privileged caller can ask for: users, capabilities, roots, priorities.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "helpers/in_child.hpp"
#include "launching.hpp"

namespace steward::process {
namespace {

using test::helper;
using test::in_child;

constexpr const char* no_capabilities = "\"0000000000000000\"";
constexpr std::uint64_t net_bind_service = 1u << 10;
constexpr std::uint64_t setuid_capability = 1u << 7;

class LaunchByRoot : public test::Launching {
  protected:
    void SetUp() override
    {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
    }
};

TEST_F(LaunchByRoot, becomes_the_user_with_exactly_its_groups)
{
    auto plan = plan_of(helper("show_self"));
    plan.identity = Identity{.uid = 1, .gid = 2, .groups = {2, 4, 10}};
    const auto shown = show(plan);
    EXPECT_EQ(shown["uids"], "[1, 1, 1]");
    EXPECT_EQ(shown["gids"], "[2, 2, 2]");
    EXPECT_EQ(shown["groups"], "[2, 4, 10]");
    EXPECT_EQ(shown["cap_permitted"], no_capabilities);
    EXPECT_EQ(shown["cap_effective"], no_capabilities);
    EXPECT_EQ(shown["cap_inherited"], no_capabilities);
}

TEST_F(LaunchByRoot, keeps_none_of_the_callers_groups)
{
    EXPECT_EQ(in_child([&] {
                  const gid_t callers[] = {0, 4, 24, 27};
                  if (setgroups(4, callers) != 0) return 1;
                  auto plan = plan_of(helper("show_self"));
                  plan.standard_output = output();
                  plan.identity = Identity{.uid = 65534, .gid = 65534, .groups = {}};
                  auto launched = launch(plan);
                  if (!launched) return 2;
                  return launched->process.wait({}) ? 0 : 3;
              }),
              0);
    const test::Shown shown(test::content_of(output_path()));
    EXPECT_EQ(shown["groups"], "[]");
    EXPECT_EQ(shown["uids"], "[65534, 65534, 65534]");
}

TEST_F(LaunchByRoot, ambient_capabilities_reach_another_user_and_no_others_do)
{
    auto plan = plan_of(helper("show_self"));
    plan.identity = Identity{.uid = 1, .gid = 1, .groups = {1}};
    plan.ambient_capabilities = net_bind_service | setuid_capability;
    const auto shown = show(plan);
    const char* only_these = "\"0000000000000480\"";
    EXPECT_EQ(shown["uids"], "[1, 1, 1]");
    EXPECT_EQ(shown["cap_ambient"], only_these);
    EXPECT_EQ(shown["cap_permitted"], only_these);
    EXPECT_EQ(shown["cap_effective"], only_these);
}

TEST_F(LaunchByRoot, the_bounding_set_holds_for_root_and_for_others)
{
    auto plan = plan_of(helper("show_self"));
    plan.bounding_capabilities = net_bind_service;
    auto shown = show(plan);
    EXPECT_EQ(shown["cap_bounding"], "\"0000000000000400\"");
    EXPECT_EQ(shown["cap_effective"], "\"0000000000000400\"");
    ASSERT_EQ(ftruncate(output().get(), 0), 0);
    ASSERT_EQ(lseek(output().get(), 0, SEEK_SET), 0);
    plan.bounding_capabilities = 0;
    plan.identity = Identity{.uid = 1, .gid = 1, .groups = {1}};
    shown = show(plan);
    EXPECT_EQ(shown["cap_bounding"], no_capabilities);
    EXPECT_EQ(shown["uids"], "[1, 1, 1]");
}

TEST_F(LaunchByRoot, no_new_privileges_holds)
{
    auto plan = plan_of(helper("show_self"));
    EXPECT_EQ(show(plan)["no_new_privs"], "\"0\"");
    ASSERT_EQ(ftruncate(output().get(), 0), 0);
    ASSERT_EQ(lseek(output().get(), 0, SEEK_SET), 0);
    plan.no_new_privileges = true;
    EXPECT_EQ(show(plan)["no_new_privs"], "\"1\"");
}

TEST_F(LaunchByRoot, resources_are_set_while_there_is_the_right_to)
{
    auto plan = plan_of(helper("show_self"));
    plan.identity = Identity{.uid = 65534, .gid = 65534, .groups = {}};
    plan.nice = 3;
    plan.oom_score_adjust = 200;
    plan.cpu_affinity = {0};
    plan.umask = 027;
    plan.limits = {{.resource = RLIMIT_CORE, .name = "core", .limit = {.soft = 1, .hard = 2}},
                   {.resource = RLIMIT_NOFILE, .name = "nofile", .limit = {.soft = 64, .hard = 128}}};
    const auto shown = show(plan);
    EXPECT_EQ(shown["nice"], "3");
    EXPECT_EQ(shown["oom_score_adj"], "\"200\"");
    EXPECT_EQ(shown["affinity"], "[0]");
    EXPECT_EQ(shown["umask"], "\"027\"");
    EXPECT_THAT(shown["limits"], testing::HasSubstr("\"core\": [1, 2]"));
    EXPECT_THAT(shown["limits"], testing::HasSubstr("\"nofile\": [64, 128]"));
}

TEST_F(LaunchByRoot, a_root_directory_is_the_programs_root)
{
    std::filesystem::create_directories(scratch_ / "usr/bin");
    std::filesystem::create_directories(scratch_ / "var/web");
    std::error_code failed;
    std::filesystem::copy_file(helper("exit_with"), scratch_ / "usr/bin/web", failed);
    ASSERT_FALSE(failed);
    auto plan = plan_of("/usr/bin/web", {"7"});
    plan.root_directory = scratch_.path();
    plan.working_directory = "/var/web";
    const auto record = os::open_trusted(scratch_ / "record", {.read = true, .write = true, .create = true});
    plan.record = *record;  // its start time comes from a /proc that this root has not
    plan.standard_output = output();
    auto launched = launch(plan);
    ASSERT_TRUE(launched) << launched.error().message();
    EXPECT_EQ(os::reap_blocking(launched->process.pid())->status.code, 7);
    plan.working_directory = "/none";
    EXPECT_EQ(launch(plan).error().message(),
              "cannot start web: cannot change to the working directory '/none': No such file or directory");
    plan.root_directory = scratch_ / "none";
    EXPECT_EQ(launch(plan).error().message(),
              "cannot start web: cannot change to the root directory '" + (scratch_ / "none") + "': No such file or directory");
}

TEST_F(LaunchByRoot, without_the_right_the_step_that_needs_it_is_named)
{
    const struct {
        const char* cause;
        void (*ask)(LaunchPlan&);
    } cases[] = {
        {"cannot set the supplementary groups: Operation not permitted",
         [](LaunchPlan& plan) { plan.identity = Identity{.uid = 0, .gid = 0, .groups = {0}}; }},
        {"cannot set nice: Permission denied", [](LaunchPlan& plan) { plan.nice = -5; }},
        {"cannot set the limit core: Operation not permitted",
         [](LaunchPlan& plan) { plan.limits = {{.resource = RLIMIT_CORE, .name = "core", .limit = {.soft = 5, .hard = 5}}}; }},
        {"cannot change to the root directory '/': Operation not permitted", [](LaunchPlan& plan) { plan.root_directory = "/"; }},
        {"cannot set the capabilities: Operation not permitted", [](LaunchPlan& plan) { plan.bounding_capabilities = 0; }},
        {"cannot set the capabilities: Operation not permitted", [](LaunchPlan& plan) { plan.ambient_capabilities = 1; }},
    };
    for (const auto& [cause, ask] : cases) {
        EXPECT_EQ(in_child([&, cause = cause, ask = ask] {
                      const rlimit none{.rlim_cur = 0, .rlim_max = 0};
                      setrlimit(RLIMIT_CORE, &none);
                      if (setgroups(0, nullptr) != 0 || setresgid(1, 1, 1) != 0 || setresuid(1, 1, 1) != 0) return 1;
                      auto plan = plan_of("/bin/true");
                      ask(plan);
                      const auto launched = launch(plan);
                      if (launched) return 2;
                      if (launched.error().code != ErrorCode::not_permitted) return 3;
                      return launched.error().cause == cause ? 0 : 4;
                  }),
                  0)
            << cause;
    }
}

}  // namespace
}  // namespace steward::process
