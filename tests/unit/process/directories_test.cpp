#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "launching.hpp"

namespace steward::process {
namespace {

using test::service;
using test::Variable;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class Directories : public testing::Test {
  protected:
    Directories() { spec_.directories.mode = 0750; }

    [[nodiscard]] DirectoryRoots roots() const
    {
        return {.runtime = scratch_ / "run",
                .state = scratch_ / "lib",
                .cache = scratch_ / "cache",
                .logs = scratch_ / "log",
                .configuration = scratch_ / "etc"};
    }
    [[nodiscard]] struct stat status(const std::string& name) const
    {
        struct stat found {};
        EXPECT_EQ(lstat((scratch_ / name).c_str(), &found), 0) << name;
        return found;
    }
    [[nodiscard]] std::string fault() const
    {
        const auto made = make_directories(spec_, roots());
        return made ? "" : made.error().message();
    }

    test::ScratchDirectory scratch_;
    ServiceSpec spec_ = service({"/bin/true"});
};

TEST_F(Directories, none_asked_for_none_made)
{
    EXPECT_THAT(*make_directories(spec_, roots()), IsEmpty());
    EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

TEST_F(Directories, each_kind_has_its_place_and_its_variable)
{
    spec_.directories.runtime = {"web"};
    spec_.directories.state = {"web", "web-more"};
    spec_.directories.cache = {"web/deep"};
    spec_.directories.logs = {"web"};
    spec_.directories.configuration = {"web"};
    const auto made = make_directories(spec_, roots());
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_THAT(*made,
                ElementsAre(Pair("CACHE_DIRECTORY", scratch_ / "cache/web/deep"), Pair("CONFIGURATION_DIRECTORY", scratch_ / "etc/web"),
                            Pair("LOGS_DIRECTORY", scratch_ / "log/web"), Pair("RUNTIME_DIRECTORY", scratch_ / "run/web"),
                            Pair("STATE_DIRECTORY", (scratch_ / "lib/web") + ":" + (scratch_ / "lib/web-more"))));
    EXPECT_TRUE(S_ISDIR(status("lib/web-more").st_mode));
    EXPECT_EQ(status("cache/web/deep").st_mode & 07777u, 0750u);
    EXPECT_EQ(status("cache/web").st_mode & 07777u, 0755u);
}

TEST_F(Directories, made_again_they_stay_as_they_are)
{
    spec_.directories.state = {"web"};
    ASSERT_TRUE(make_directories(spec_, roots()));
    chmod((scratch_ / "lib/web").c_str(), 0700);
    scratch_.write("lib/web/data", "kept");
    ASSERT_TRUE(make_directories(spec_, roots()));
    EXPECT_EQ(status("lib/web").st_mode & 07777u, 0700u);
    EXPECT_EQ(test::content_of(scratch_ / "lib/web/data"), "kept");
}

TEST_F(Directories, names_that_lead_elsewhere_are_refused)
{
    for (const char* name : {"", "/etc", "..", "web/../../x", "./web", "../x"}) {
        spec_.directories.state = {name};
        EXPECT_THAT(fault(), HasSubstr("it must be the name of a directory below")) << name;
    }
    EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

TEST_F(Directories, a_link_in_their_place_is_refused)
{
    std::filesystem::create_directories(scratch_ / "lib");
    std::filesystem::create_directories(scratch_ / "elsewhere");
    std::filesystem::create_symlink(scratch_ / "elsewhere", scratch_ / "lib/web");
    spec_.directories.state = {"web"};
    EXPECT_THAT(fault(), HasSubstr(scratch_ / "lib/web"));
}

TEST_F(Directories, a_file_in_their_place_is_refused)
{
    std::filesystem::create_directories(scratch_ / "lib");
    scratch_.write("lib/web", "");
    spec_.directories.state = {"web"};
    EXPECT_THAT(fault(), HasSubstr(scratch_ / "lib/web"));
}

TEST_F(Directories, belong_to_the_services_user_but_for_its_configuration)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    spec_.service.user = "daemon";
    spec_.service.group = "adm";
    spec_.directories.runtime = {"web"};
    spec_.directories.configuration = {"web"};
    ASSERT_EQ(fault(), "");
    EXPECT_EQ(status("run/web").st_uid, 1u);
    EXPECT_EQ(status("run/web").st_gid, 4u);
    EXPECT_EQ(status("run").st_uid, 0u);
    EXPECT_EQ(status("etc/web").st_uid, 0u);
    EXPECT_EQ(status("etc/web").st_gid, 0u);
}

TEST_F(Directories, another_users_directory_is_refused_and_not_taken_over)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    std::filesystem::create_directories(scratch_ / "run/web");
    ASSERT_EQ(chown((scratch_ / "run/web").c_str(), 65534, 65534), 0);
    spec_.service.user = "daemon";
    spec_.directories.runtime = {"web"};
    EXPECT_THAT(fault(), HasSubstr("belongs to user 65534"));
    EXPECT_EQ(status("run/web").st_uid, 65534u);
}

TEST_F(Directories, an_unknown_user_makes_nothing)
{
    spec_.service.user = "none-such";
    spec_.directories.runtime = {"web"};
    EXPECT_THAT(fault(), HasSubstr("none-such"));
    EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

TEST(DirectoryRootsOf, the_system_are_those_of_the_file_hierarchy)
{
    const auto roots = directory_roots(true);
    EXPECT_EQ(roots.runtime, "/run");
    EXPECT_EQ(roots.state, "/var/lib");
    EXPECT_EQ(roots.cache, "/var/cache");
    EXPECT_EQ(roots.logs, "/var/log");
    EXPECT_EQ(roots.configuration, "/etc");
}

TEST(DirectoryRootsOf, a_user_are_the_xdg_directories)
{
    const Variable run("XDG_RUNTIME_DIR", "/x/run"), state("XDG_STATE_HOME", "/x/state"), cache("XDG_CACHE_HOME", "/x/cache"),
        config("XDG_CONFIG_HOME", "/x/config");
    const auto roots = directory_roots(false);
    EXPECT_EQ(roots.runtime, "/x/run");
    EXPECT_EQ(roots.state, "/x/state");
    EXPECT_EQ(roots.cache, "/x/cache");
    EXPECT_EQ(roots.logs, "/x/state/log");
    EXPECT_EQ(roots.configuration, "/x/config");
}

TEST(DirectoryRootsOf, a_user_without_xdg_variables_are_below_home)
{
    const Variable home("HOME", "/home/ann"), state("XDG_STATE_HOME", nullptr), cache("XDG_CACHE_HOME", "relative"),
        config("XDG_CONFIG_HOME", ""), run("XDG_RUNTIME_DIR", "relative");
    const auto roots = directory_roots(false);
    EXPECT_EQ(roots.state, "/home/ann/.local/state");
    EXPECT_EQ(roots.cache, "/home/ann/.cache");
    EXPECT_EQ(roots.logs, "/home/ann/.local/state/log");
    EXPECT_EQ(roots.configuration, "/home/ann/.config");
    EXPECT_TRUE(roots.runtime == "/home/ann/.local/state/run" || roots.runtime == "/run/user/" + std::to_string(geteuid()));
}

}  // namespace
}  // namespace steward::process
