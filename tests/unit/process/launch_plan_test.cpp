#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "helpers/in_child.hpp"
#include "launching.hpp"

namespace steward::process {
namespace {

using test::in_child;
using test::service;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LaunchPlan planned(const ServiceSpec& spec, const PlanContext& context = {})
{
    auto plan = make_launch_plan(spec, context);
    EXPECT_TRUE(plan) << plan.error().message();
    return plan ? std::move(*plan) : LaunchPlan{};
}

Error refused(const ServiceSpec& spec)
{
    const auto plan = make_launch_plan(spec, {});
    EXPECT_FALSE(plan);
    return plan ? Error{} : plan.error();
}

TEST(LaunchPlanOf, a_command_alone_asks_for_nothing_else)
{
    const auto plan = planned(service({"sleep", "5"}));
    EXPECT_EQ(plan.program.substr(plan.program.rfind('/')), "/sleep");
    EXPECT_THAT(plan.argv, ElementsAre("sleep", "5"));
    EXPECT_EQ(plan.service, "web");
    EXPECT_EQ(plan.working_directory, "/");
    EXPECT_EQ(plan.umask, 022u);
    EXPECT_FALSE(plan.identity);
    EXPECT_THAT(plan.limits, IsEmpty());
    EXPECT_FALSE(plan.nice);
    EXPECT_FALSE(plan.bounding_capabilities);
    EXPECT_TRUE(plan.new_session);
    EXPECT_FALSE(plan.detach);
}

TEST(LaunchPlanOf, every_key_of_the_file_comes_through)
{
    auto spec = service({"/bin/true"});
    spec.service.working_directory = "/var";
    spec.service.umask = 077;
    spec.limits = {{"core", {.soft = 0, .hard = UINT64_MAX}}, {"nofile", {.soft = 100, .hard = 200}}};
    spec.resources = {.nice = 5, .oom_score_adjust = -100, .cpu_affinity = {0, 1}};
    spec.security = {.no_new_privileges = true,
                     .capabilities = std::vector<std::string>{"cap_net_bind_service", "cap_chown"},
                     .ambient_capabilities = {"cap_net_bind_service"}};
    const auto plan = planned(spec);
    EXPECT_EQ(plan.working_directory, "/var");
    EXPECT_EQ(plan.umask, 077u);
    ASSERT_EQ(plan.limits.size(), 2u);
    EXPECT_EQ(plan.limits[0].resource, RLIMIT_CORE);
    EXPECT_EQ(plan.limits[1].resource, RLIMIT_NOFILE);
    EXPECT_EQ(plan.limits[1].limit, (ResourceLimit{.soft = 100, .hard = 200}));
    EXPECT_EQ(plan.nice, 5);
    EXPECT_EQ(plan.oom_score_adjust, -100);
    EXPECT_THAT(plan.cpu_affinity, ElementsAre(0u, 1u));
    EXPECT_EQ(plan.bounding_capabilities, 1u | 1u << 10);
    EXPECT_EQ(plan.ambient_capabilities, 1u << 10);
    EXPECT_TRUE(plan.no_new_privileges);
}

TEST(LaunchPlanOf, an_empty_list_of_capabilities_means_none)
{
    auto spec = service({"/bin/true"});
    spec.security.capabilities.emplace();
    EXPECT_EQ(planned(spec).bounding_capabilities, 0u);
}

TEST(LaunchPlanOf, the_program_is_found_in_the_services_path_and_not_the_callers)
{
    const test::ScratchDirectory scratch;
    const auto ours = scratch.write("sleep", "#!/bin/sh\n");
    std::filesystem::permissions(ours, std::filesystem::perms(0755));
    {
        const test::Variable path("PATH", scratch.path().c_str());
        EXPECT_NE(planned(service({"sleep"})).program, ours);
    }
    auto spec = service({"sleep"});
    spec.service.environment["PATH"] = scratch.path();
    EXPECT_EQ(planned(spec).program, ours);
}

TEST(LaunchPlanOf, the_words_of_the_options_variable_follow_the_command)
{
    const test::ScratchDirectory scratch;
    auto spec = service({"/bin/true", "-f"});
    spec.service.options_variable = "DAEMON_OPTS";
    EXPECT_THAT(planned(spec).argv, ElementsAre("/bin/true", "-f"));
    spec.service.environment_files = {{.path = scratch.write("web", "DAEMON_OPTS=\"-p 80 --title 'my web'\"\n")}};
    spec.service.environment["DAEMON_OPTS"] = "the table's, which the file overrides";
    EXPECT_THAT(planned(spec).argv, ElementsAre("/bin/true", "-f", "-p", "80", "--title", "my web"));
    spec.service.environment_files.clear();
    spec.service.environment["DAEMON_OPTS"] = "-q";
    EXPECT_THAT(planned(spec).argv, ElementsAre("/bin/true", "-f", "-q"));
}

TEST(LaunchPlanOf, options_are_not_taken_from_the_callers_environment)
{
    const test::Variable options("DAEMON_OPTS", "--evil");
    auto spec = service({"/bin/true"});
    spec.service.inherit_environment = InheritEnvironment::yes;
    spec.service.options_variable = "DAEMON_OPTS";
    EXPECT_THAT(planned(spec).argv, ElementsAre("/bin/true"));
}

TEST(LaunchPlanOf, options_with_an_open_quote_are_refused)
{
    auto spec = service({"/bin/true"});
    spec.service.options_variable = "DAEMON_OPTS";
    spec.service.environment["DAEMON_OPTS"] = "-t 'x";
    EXPECT_EQ(refused(spec).message(), "cannot start web: cannot split the words of DAEMON_OPTS: a quote is not closed");
}

TEST(LaunchPlanOf, a_command_of_the_service_gets_its_environment_but_not_its_options)
{
    auto spec = service({"/bin/true"});
    spec.service.options_variable = "DAEMON_OPTS";
    spec.service.environment["DAEMON_OPTS"] = "-x";
    const auto plan = make_command_plan(spec, {"/bin/echo", "stop"}, {.extra_environment = {{"MAINPID", "5"}}});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->program, "/bin/echo");
    EXPECT_THAT(plan->argv, ElementsAre("/bin/echo", "stop"));
    EXPECT_THAT(plan->environment, Contains("DAEMON_OPTS=-x"));
    EXPECT_THAT(plan->environment, Contains("MAINPID=5"));
    EXPECT_EQ(make_command_plan(spec, {"/none/x"}, {}).error().message(),
              "cannot run a command of web: cannot execute '/none/x': No such file or directory");
}

TEST(LaunchPlanOf, a_missing_program_is_told_by_its_path)
{
    const auto error = refused(service({"/usr/sbin/none-such"}));
    EXPECT_EQ(error.code, ErrorCode::program_missing);
    EXPECT_EQ(error.message(), "cannot start web: cannot execute '/usr/sbin/none-such': No such file or directory");
    EXPECT_EQ(error.os_errno, ENOENT);
}

TEST(LaunchPlanOf, an_empty_command_is_refused)
{
    EXPECT_EQ(refused(service({})).code, ErrorCode::invalid_argument);
    EXPECT_EQ(refused(service({""})).code, ErrorCode::invalid_argument);
}

TEST(LaunchPlanOf, an_unknown_user_or_group_is_fatal)
{
    auto spec = service({"/bin/true"});
    for (const char* user : {"none-such", "0day", "-1", "+0", "00", "4294967295"}) {
        spec.service.user = user;
        EXPECT_THAT(refused(spec).message(), HasSubstr("user '" + std::string(user) + "'")) << user;
    }
    spec.service.user = "daemon";
    spec.service.group = "none-such";
    EXPECT_THAT(refused(spec).message(), HasSubstr("group 'none-such'"));
    spec.service.group = "daemon";
    spec.service.supplementary_groups = {"none-such"};
    EXPECT_THAT(refused(spec).message(), HasSubstr("group 'none-such'"));
}

TEST(LaunchPlanOf, unknown_names_of_limits_and_capabilities_are_refused)
{
    auto spec = service({"/bin/true"});
    spec.limits = {{"nofiles", {}}};
    EXPECT_THAT(refused(spec).message(), HasSubstr("limit 'nofiles'"));
    spec.limits.clear();
    spec.security.ambient_capabilities = {"cap_fly"};
    EXPECT_THAT(refused(spec).message(), HasSubstr("capability 'cap_fly'"));
}

TEST(LaunchPlanOf, ambient_capabilities_must_be_within_the_bounds)
{
    auto spec = service({"/bin/true"});
    spec.security = {.capabilities = std::vector<std::string>{"cap_chown"}, .ambient_capabilities = {"cap_kill"}};
    EXPECT_EQ(refused(spec).code, ErrorCode::invalid_argument);
}

class LaunchPlanByRoot : public testing::Test {
  protected:
    void SetUp() override
    {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
    }
};

TEST_F(LaunchPlanByRoot, has_the_users_own_groups_and_the_supplementary_ones)
{
    auto spec = service({"/bin/true"});
    spec.service.user = "daemon";
    spec.service.supplementary_groups = {"adm", "daemon"};
    const auto plan = planned(spec);
    ASSERT_TRUE(plan.identity);
    EXPECT_EQ(plan.identity->uid, 1u);
    EXPECT_EQ(plan.identity->gid, 1u);
    EXPECT_THAT(plan.identity->groups, ElementsAre(1u, 4u));
}

TEST_F(LaunchPlanByRoot, a_group_alone_changes_the_group_alone)
{
    auto spec = service({"/bin/true"});
    spec.service.group = "adm";
    const auto plan = planned(spec);
    ASSERT_TRUE(plan.identity);
    EXPECT_EQ(plan.identity->uid, 0u);
    EXPECT_EQ(plan.identity->gid, 4u);
}

TEST_F(LaunchPlanByRoot, a_program_that_others_can_change_is_for_their_own_users_only)
{
    const test::ScratchDirectory scratch;
    const auto program = scratch.write("web", "#!/bin/sh\n");
    std::filesystem::permissions(program, std::filesystem::perms(0757));
    auto spec = service({program});
    const auto error = refused(spec);
    EXPECT_EQ(error.code, ErrorCode::not_permitted);
    EXPECT_THAT(error.message(), HasSubstr("cannot start web: cannot let root execute '" + program + "'"));
    spec.service.user = "root";
    EXPECT_EQ(refused(spec).code, ErrorCode::not_permitted);
    spec.service.user = "daemon";
    EXPECT_EQ(planned(spec).program, program);
}

TEST_F(LaunchPlanByRoot, without_root_ones_own_name_needs_no_privilege_and_another_is_refused)
{
    EXPECT_EQ(in_child([] {
                  if (setgroups(0, nullptr) != 0 || setresgid(1, 1, 1) != 0 || setresuid(1, 1, 1) != 0) return 1;
                  auto spec = service({"/bin/true"});
                  spec.service.user = "daemon";
                  const auto own = make_launch_plan(spec, {});
                  if (!own || own->identity) return 2;
                  spec.service.supplementary_groups = {"adm"};
                  const auto more = make_launch_plan(spec, {});
                  if (more || more.error().code != ErrorCode::not_permitted) return 3;
                  spec.service.supplementary_groups.clear();
                  spec.service.user = "root";
                  const auto root = make_launch_plan(spec, {});
                  if (root || root.error().message() != "cannot start web: cannot become user 'root': only root may") return 4;
                  return 0;
              }),
              0);
}

}  // namespace
}  // namespace steward::process
