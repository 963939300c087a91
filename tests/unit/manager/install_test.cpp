// Installing and uninstalling by the library, for no init system: what is nobody's but steward's goes, and nothing else.
#include <steward/manager.hpp>

#include <filesystem>

#include "managing.hpp"

namespace steward {
namespace {

namespace fs = std::filesystem;
using test::content_of;
using testing::HasSubstr;
using testing::SizeIs;

class Install : public test::Host {
  protected:
    Install() { test::Surroundings::set("STEWARD_STATE_DIR", scratch_ / "lib"); }

    [[nodiscard]] static Target web() { return {.name = "web", .file = {}, .command = {}}; }
    [[nodiscard]] static Target file(const std::string& path) { return {.name = {}, .file = path, .command = {}}; }
    [[nodiscard]] bool runs() const { return manager_.status(web()).value_or(ServiceStatus{}).lsb_code == 0; }
    void install(const Target& target)
    {
        const auto done = manager_.install(target, {.without_init = true});
        ASSERT_TRUE(done) << done.error().message();
    }

    Manager manager_;
};

TEST_F(Install, a_purge_stops_what_was_never_installed)
{
    write_sleeper();
    ASSERT_TRUE(manager_.start(web()));
    const auto done = manager_.uninstall(web(), {.purge = true});
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_FALSE(runs());
    EXPECT_FALSE(fs::exists(scratch_ / "run/web"));
    EXPECT_TRUE(fs::exists(scratch_ / "etc/web.toml"));
}

TEST_F(Install, a_purge_of_what_is_to_run_on_leaves_all_of_it_and_says_so)
{
    write_sleeper();
    install(web());
    const auto started = manager_.start(web());
    ASSERT_TRUE(started) << started.error().message();
    const auto done = manager_.uninstall(web(), {.purge = true, .leave_running = true});
    ASSERT_TRUE(done) << done.error().message();
    ASSERT_THAT(done->warnings, SizeIs(1));
    EXPECT_THAT(done->warnings.front(), HasSubstr("it runs: its record, logs and state stay"));
    EXPECT_TRUE(runs());
    EXPECT_TRUE(fs::exists(scratch_ / "log/web.log"));
    EXPECT_FALSE(fs::exists(scratch_ / "lib"));
    EXPECT_TRUE(manager_.start(web())->already_running);
    ASSERT_TRUE(manager_.stop(web()));
    EXPECT_THAT(manager_.uninstall(web(), {.purge = true, .leave_running = true})->warnings, SizeIs(0));
    EXPECT_FALSE(fs::exists(scratch_ / "run/web"));
}

TEST_F(Install, a_dry_run_of_a_purge_stops_nothing)
{
    write_sleeper();
    ASSERT_TRUE(manager_.start(web()));
    EXPECT_THAT(manager_.uninstall(web(), {.purge = true, .dry_run = true})->files, testing::Not(testing::IsEmpty()));
    EXPECT_TRUE(runs());
    ASSERT_TRUE(manager_.stop(web()));
}

TEST_F(Install, a_file_that_was_there_is_left_to_whoever_wrote_it)
{
    write_sleeper();
    scratch_.write("web.toml", content_of(scratch_ / "etc/web.toml"));
    install(file(scratch_ / "web.toml"));
    install(file(scratch_ / "web.toml"));
    ASSERT_TRUE(manager_.uninstall(web(), {}));
    EXPECT_TRUE(fs::exists(scratch_ / "etc/web.toml"));
}

TEST_F(Install, a_directory_of_service_files_is_one_by_any_name)
{
    write_sleeper();
    fs::rename(scratch_ / "etc", scratch_ / "real");
    fs::create_directory_symlink(scratch_ / "real", scratch_ / "etc");
    install(file(scratch_ / "real/web.toml"));
    ASSERT_TRUE(manager_.uninstall(web(), {}));
    EXPECT_TRUE(fs::exists(scratch_ / "real/web.toml"));
}

TEST_F(Install, a_file_without_the_ending_is_installed_under_a_name_that_is_found)
{
    for (const char* place : {"web", "etc/web"}) {
        scratch_.write(place, "[service]\ncommand = [\"/bin/true\"]\n");
        install(file(scratch_ / place));
        EXPECT_EQ(content_of(scratch_ / "etc/web.toml"), content_of(scratch_ / place));
        ASSERT_TRUE(manager_.uninstall(web(), {}));
        EXPECT_FALSE(fs::exists(scratch_ / "etc/web.toml"));
        EXPECT_TRUE(fs::exists(scratch_ / place));
    }
}

}  // namespace
}  // namespace steward
