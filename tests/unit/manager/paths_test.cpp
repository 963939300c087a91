#include "manager/paths.hpp"

#include "managing.hpp"
#include "os/account.hpp"
#include "os/file.hpp"

namespace steward::manager {
namespace {

using test::Surroundings;
using testing::ElementsAre;

class PathsTest : public testing::Test {
  protected:
    static Paths of(Scope scope)
    {
        const auto paths = paths_of(scope);
        EXPECT_TRUE(paths) << paths.error().message();
        return paths.value_or(Paths{});
    }
    Surroundings surroundings_;
};

TEST_F(PathsTest, of_the_system_are_those_of_the_host)
{
    const auto paths = of(Scope::system);
    EXPECT_THAT(paths.config, ElementsAre("/etc/steward", "/usr/local/lib/steward", "/usr/lib/steward"));
    EXPECT_EQ(paths.overrides, "/etc/steward");
    EXPECT_EQ(paths.runtime, "/run/steward");
    EXPECT_TRUE(paths.default_runtime);
    EXPECT_EQ(paths.pid_file("web"), "/run/steward/web.pid");
    EXPECT_EQ(paths.log_file("web"), "/var/log/steward/web.log");
    EXPECT_EQ(paths.event_log(), "/var/log/steward/steward.log");
}

TEST_F(PathsTest, of_the_system_do_not_hear_the_users_variables)
{
    for (const char* name : {"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) Surroundings::set(name, "/elsewhere");
    const auto paths = of(Scope::system);
    EXPECT_EQ(paths.config.front(), "/etc/steward");
    EXPECT_EQ(paths.runtime, "/run/steward");
    EXPECT_EQ(paths.log, "/var/log/steward");
}

TEST_F(PathsTest, are_what_stewards_own_variables_say_in_both_scopes)
{
    Surroundings::set("STEWARD_CONFIG_DIR", "/a");
    Surroundings::set("STEWARD_RUNTIME_DIR", "/b");
    Surroundings::set("STEWARD_LOG_DIR", "/c");
    for (const auto scope : {Scope::system, Scope::user}) {
        const auto paths = of(scope);
        EXPECT_EQ(paths.scope, scope);
        EXPECT_THAT(paths.config, ElementsAre("/a"));
        EXPECT_EQ(paths.overrides, "/a");
        EXPECT_EQ(paths.runtime, "/b");
        EXPECT_FALSE(paths.default_runtime);
        EXPECT_EQ(paths.log, "/c");
    }
}

TEST_F(PathsTest, each_of_stewards_own_variables_replaces_only_its_own)
{
    Surroundings::set("STEWARD_RUNTIME_DIR", "/b");
    const auto paths = of(Scope::system);
    EXPECT_EQ(paths.config.front(), "/etc/steward");
    EXPECT_EQ(paths.runtime, "/b");
    EXPECT_EQ(paths.log, "/var/log/steward");
}

TEST_F(PathsTest, that_are_relative_or_empty_are_not_heard)
{
    for (const char* value : {"", "relative", "./here", "../there"}) {
        Surroundings::set("STEWARD_CONFIG_DIR", value);
        Surroundings::set("STEWARD_RUNTIME_DIR", value);
        Surroundings::set("XDG_CONFIG_HOME", value);
        Surroundings::set("XDG_RUNTIME_DIR", value);
        Surroundings::set("XDG_STATE_HOME", value);
        Surroundings::set("HOME", "/home/ada");
        EXPECT_EQ(of(Scope::system).config.front(), "/etc/steward");
        EXPECT_EQ(of(Scope::system).runtime, "/run/steward");
        const auto user = of(Scope::user);
        EXPECT_THAT(user.config, ElementsAre("/home/ada/.config/steward"));
        EXPECT_EQ(user.log, "/home/ada/.local/state/steward/log");
        EXPECT_THAT(user.runtime, testing::StartsWith("/"));
    }
}

TEST_F(PathsTest, of_a_user_follow_xdg)
{
    Surroundings::set("HOME", "/home/ada");
    Surroundings::set("XDG_CONFIG_HOME", "/x/config");
    Surroundings::set("XDG_STATE_HOME", "/x/state");
    Surroundings::set("XDG_RUNTIME_DIR", "/x/run");
    const auto paths = of(Scope::user);
    EXPECT_EQ(paths.scope, Scope::user);
    EXPECT_THAT(paths.config, ElementsAre("/x/config/steward"));
    EXPECT_EQ(paths.overrides, "/x/config/steward");
    EXPECT_EQ(paths.runtime, "/x/run/steward");
    EXPECT_EQ(paths.log, "/x/state/steward/log");
}

TEST_F(PathsTest, of_a_user_without_a_runtime_directory_are_in_run_or_in_the_state_and_never_in_tmp)
{
    Surroundings::set("HOME", "/home/ada");
    const std::string by_uid = "/run/user/" + std::to_string(geteuid());
    const auto info = os::info_at(by_uid);
    const bool there = info && *info && (*info)->kind == os::FileInfo::Kind::directory && (*info)->uid == geteuid();
    EXPECT_EQ(of(Scope::user).runtime, there ? by_uid + "/steward" : "/home/ada/.local/state/steward");
}

TEST_F(PathsTest, of_a_user_without_home_are_in_the_one_of_the_account)
{
    const auto account = os::account_of(geteuid());
    ASSERT_TRUE(account);
    EXPECT_THAT(of(Scope::user).config, ElementsAre(account->home + "/.config/steward"));
}

TEST_F(PathsTest, roots_scope_is_the_systems)
{
    EXPECT_EQ(callers_scope(), geteuid() == 0 ? Scope::system : Scope::user);
}

}  // namespace
}  // namespace steward::manager
