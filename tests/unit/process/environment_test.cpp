#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launching.hpp"
#include "process/environment.hpp"

namespace steward::process {
namespace {

using test::service;
using test::Variable;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Key;
using testing::Not;
using testing::Pair;

constexpr const char* default_directories = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Environment composed(const ServiceSpec& spec, const PlanContext& context = {})
{
    std::optional<os::Account> user;
    if (!spec.service.user.empty()) user = *os::find_account(spec.service.user);
    auto environment = compose_environment(spec, context, user);
    EXPECT_TRUE(environment) << environment.error().message();
    return environment ? environment->all : Environment{};
}

TEST(Environment, is_fresh_unless_the_file_says_otherwise)
{
    const Variable secret("SECRET_OF_THE_CALLER", "x"), path("PATH", "/home/mallory/bin:/bin"), lang("LANG", "fr_FR.UTF-8");
    const auto environment = composed(service({"/bin/true"}));
    std::vector<std::string> names;
    for (const auto& [name, value] : environment) names.push_back(name);
    EXPECT_THAT(names, ElementsAre("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "USER"));
    EXPECT_EQ(environment.at("PATH"), default_directories);
    EXPECT_EQ(environment.at("LANG"), "fr_FR.UTF-8");
}

TEST(Environment, without_the_callers_language_it_is_plain_utf8)
{
    const Variable lang("LANG", nullptr);
    EXPECT_EQ(composed(service({"/bin/true"})).at("LANG"), "C.UTF-8");
}

TEST(Environment, home_and_names_are_of_the_services_user)
{
    auto spec = service({"/bin/true"});
    spec.service.user = "daemon";
    for (const auto inherit : {InheritEnvironment::no, InheritEnvironment::yes}) {
        spec.service.inherit_environment = inherit;
        const auto environment = composed(spec);
        EXPECT_EQ(environment.at("USER"), "daemon");
        EXPECT_EQ(environment.at("LOGNAME"), "daemon");
        EXPECT_EQ(environment.at("HOME"), "/usr/sbin");
        EXPECT_EQ(environment.at("SHELL"), "/usr/sbin/nologin");
    }
}

TEST(Environment, a_number_without_an_account_has_no_name)
{
    auto spec = service({"/bin/true"});
    spec.service.user = "54321";
    const auto environment = composed(spec);
    EXPECT_THAT(environment, Not(Contains(Key("USER"))));
    EXPECT_EQ(environment.at("HOME"), "/");
}

TEST(Environment, inherited_comes_without_what_would_act_in_the_callers_name)
{
    const Variable keep("KEPT_OF_THE_CALLER", "kept"), path("PATH", "/home/mallory/bin:/bin"), preload("LD_PRELOAD_X", "/tmp/evil.so"),
        ifs("IFS", "x"), notify("NOTIFY_SOCKET", "/run/x"), listen("LISTEN_FDS", "1"), bash("BASH_ENV", "/tmp/evil"),
        env("ENV", "/tmp/evil");
    auto spec = service({"/bin/true"});
    spec.service.inherit_environment = InheritEnvironment::yes;
    const auto environment = composed(spec);
    EXPECT_THAT(environment, Contains(Pair("KEPT_OF_THE_CALLER", "kept")));
    EXPECT_EQ(environment.at("PATH"), default_directories);
    for (const char* name : {"LD_PRELOAD_X", "IFS", "NOTIFY_SOCKET", "LISTEN_FDS", "BASH_ENV", "ENV"}) {
        EXPECT_THAT(environment, Not(Contains(Key(name))));
    }
}

TEST(Environment, pid_1_inherits_by_default_and_keeps_the_images_path)
{
    const Variable keep("KEPT_OF_THE_CALLER", "kept"), path("PATH", "/opt/java/bin:/bin");
    const auto environment = composed(service({"/bin/true"}), {.as_pid_1 = true});
    EXPECT_THAT(environment, Contains(Pair("KEPT_OF_THE_CALLER", "kept")));
    EXPECT_EQ(environment.at("PATH"), "/opt/java/bin:/bin");
}

TEST(Environment, pid_1_inherits_nothing_where_the_file_says_no)
{
    const Variable keep("KEPT_OF_THE_CALLER", "kept");
    auto spec = service({"/bin/true"});
    spec.service.inherit_environment = InheritEnvironment::no;
    EXPECT_THAT(composed(spec, {.as_pid_1 = true}), Not(Contains(Key("KEPT_OF_THE_CALLER"))));
}

TEST(Environment, listed_variables_are_the_callers_where_it_has_them)
{
    const Variable first("FIRST_OF_THE_CALLER", "1"), second("SECOND_OF_THE_CALLER", "2"), path("PATH", "/opt/x");
    auto spec = service({"/bin/true"});
    spec.service.inherit_environment = InheritEnvironment::listed;
    spec.service.inherited_variables = {"FIRST_OF_THE_CALLER", "PATH", "NOT_THERE_AT_ALL"};
    const auto environment = composed(spec);
    EXPECT_THAT(environment, Contains(Pair("FIRST_OF_THE_CALLER", "1")));
    EXPECT_THAT(environment, Contains(Pair("PATH", "/opt/x")));
    EXPECT_THAT(environment, Not(Contains(Key("SECOND_OF_THE_CALLER"))));
    EXPECT_THAT(environment, Not(Contains(Key("NOT_THERE_AT_ALL"))));
    EXPECT_THAT(environment, Contains(Key("HOME")));
}

TEST(Environment, files_win_over_the_table_later_ones_over_earlier_and_the_context_over_all)
{
    const test::ScratchDirectory scratch;
    auto spec = service({"/bin/true"});
    spec.service.environment_files = {{.path = scratch.write("one", "A=one\nB=one\nC=one\nD=one\nHOME=/one\n")},
                                      {.path = scratch.write("two", "B=two\nC=two\nD=two\n")}};
    spec.service.environment = {{"C", "table"}, {"D", "table"}, {"E", "table"}};
    const auto environment = composed(spec, {.extra_environment = {{"D", "context"}}});
    EXPECT_EQ(environment.at("A"), "one");
    EXPECT_EQ(environment.at("B"), "two");
    EXPECT_EQ(environment.at("C"), "two");
    EXPECT_EQ(environment.at("E"), "table");
    EXPECT_EQ(environment.at("D"), "context");
    EXPECT_EQ(environment.at("HOME"), "/one");
}

TEST(Environment, an_optional_file_may_be_missing_and_another_may_not)
{
    const test::ScratchDirectory scratch;
    auto spec = service({"/bin/true"});
    spec.service.environment_files = {{.path = scratch / "none", .optional = true}};
    EXPECT_THAT(composed(spec), Contains(Key("PATH")));
    spec.service.environment_files = {{.path = scratch / "none"}};
    const auto environment = compose_environment(spec, {}, {});
    ASSERT_FALSE(environment);
    EXPECT_THAT(environment.error().message(), testing::HasSubstr(scratch / "none"));
}

TEST(Environment, an_optional_file_that_is_there_must_be_right)
{
    const test::ScratchDirectory scratch;
    auto spec = service({"/bin/true"});
    spec.service.environment_files = {{.path = scratch.write("bad", "A='\n"), .optional = true}};
    EXPECT_FALSE(compose_environment(spec, {}, {}));
}

TEST(Environment, hostile_names_are_told_from_their_look_alikes)
{
    for (const char* name : {"LD_PRELOAD", "LD_LIBRARY_PATH", "LISTEN_PID", "WATCHDOG_USEC", "BASH_FUNC_x%%", "IFS", "PS4"}) {
        EXPECT_TRUE(is_hostile_variable(name)) << name;
    }
    for (const char* name : {"OLD_PATH", "IFSX", "ENVIRONMENT", "XLD_PRELOAD", "LISTEN"}) EXPECT_FALSE(is_hostile_variable(name)) << name;
}

}  // namespace
}  // namespace steward::process
