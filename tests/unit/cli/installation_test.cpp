// install, uninstall, enable and disable: their words, their documents, their exit codes.
#include <gmock/gmock.h>

#include "command_line_test.hpp"
#include "golden.hpp"

namespace steward::cli {

namespace {

using testing::HasSubstr;

Installation sample_installation()
{
    return {.name = "web",
            .system = InitSystem::systemd,
            .changed = true,
            .installed = true,
            .enabled = true,
            .started = false,
            .kept_edits = false,
            .files = {{.kind = FileChange::Kind::created, .path = "/etc/steward/web.toml", .difference = {}},
                      {.kind = FileChange::Kind::updated,
                       .path = "/usr/local/lib/systemd/system/web.service",
                       .difference = {"--- a", "+++ a", "@@ -1 +1 @@", "-old", "+new \x1b[31m"}}},
            .notes = {{.system = InitSystem::systemd, .key = "restart.limit", .how = Expression::carried, .reason = "has no equal there"}},
            .warnings = {"lingering is off"}};
}

TEST_F(CommandLineTest, install_tells_each_change_and_what_is_next)
{
    host().installation = sample_installation();
    const Told told = run({"install", "web", "--init", "systemd", "--now", "--force", "--strict", "--dry-run"});
    EXPECT_EQ(told.code, 0);
    EXPECT_TRUE(host().install_options.now && host().install_options.force && host().install_options.strict &&
                host().install_options.dry_run);
    EXPECT_EQ(host().install_options.init, InitSystem::systemd);
    EXPECT_THAT(told.out, HasSubstr("web: would be created /etc/steward/web.toml\n"));
    EXPECT_EQ(run({"install", "web"}).out,
              "web: created /etc/steward/web.toml\n"
              "web: updated /usr/local/lib/systemd/system/web.service\n"
              "    --- a\n"
              "    +++ a\n"
              "    @@ -1 +1 @@\n"
              "    -old\n"
              "    +new \n"
              "web: installed; systemd starts it at boot\n"
              "web: next: steward restart web\n");
    EXPECT_EQ(run({"install", "web"}).err,
              "web: systemd: restart.limit has no equal there: the service runs under steward\n"
              "steward: web: lingering is off\n");
    EXPECT_EQ(run({"install", "-q", "web"}).out, "");
}

TEST_F(CommandLineTest, install_of_what_was_edited_exits_1_and_uninstall_0)
{
    host().installation = sample_installation();
    host().installation.kept_edits = true;
    host().installation.files = {{.kind = FileChange::Kind::kept, .path = "/etc/init.d/web", .difference = {"-mine"}}};
    const Told told = run({"install", "web"});
    EXPECT_EQ(told.code, 1);
    EXPECT_THAT(told.out,
                HasSubstr("web: kept /etc/init.d/web, which was edited; what the service file makes of it differs:\n    -mine\n"));
    EXPECT_THAT(told.out, HasSubstr("web: next: steward install --force web replaces what was edited\n"));
    EXPECT_EQ(run({"install", "--json", "web"}).code, 1);
    host().installation.files.front().difference.clear();
    EXPECT_EQ(run({"uninstall", "web"}).out, "web: kept /etc/init.d/web, which was edited\nweb: uninstalled\n");
    EXPECT_EQ(run({"uninstall", "web", "--purge", "--force", "--root", "/image"}).code, 0);
    EXPECT_TRUE(host().uninstall_options.purge && host().uninstall_options.force);
    EXPECT_EQ(host().uninstall_options.root, "/image");
}

TEST_F(CommandLineTest, what_was_edited_fails_no_package)
{
    host().installation = sample_installation();
    host().installation.kept_edits = true;
    host().in_maintainer_script = true;
    EXPECT_EQ(run({"install", "web"}).code, 0);
}

TEST_F(CommandLineTest, what_changes_nothing_says_so)
{
    host().installation = {.name = "web", .system = InitSystem::runit, .changed = false, .installed = true, .enabled = true};
    EXPECT_EQ(run({"install", "web"}).out, "web: unchanged; runit starts it at boot\n");
    EXPECT_EQ(run({"enable", "web"}).out, "web: was enabled already; runit starts it at boot\n");
    host().installation.enabled = false;
    EXPECT_EQ(run({"disable", "web"}).out, "web: was disabled already; runit does not start it at boot\n");
    host().installation.installed = false;
    EXPECT_EQ(run({"uninstall", "web"}).out, "web: was not installed\n");
}

TEST_F(CommandLineTest, without_an_init_system_run_all_is_named)
{
    host().installation = {.name = "web", .changed = true, .installed = true, .enabled = true};
    EXPECT_THAT(run({"install", "--init", "none", "web"}).out,
                HasSubstr("web: installed; no init system starts it; `steward run --all` does\n"));
    EXPECT_TRUE(host().install_options.without_init);
    host().installation.enabled = false;
    EXPECT_EQ(run({"disable", "--dry-run", "web"}).out, "web: would be disabled; `steward run --all` leaves it out\n");
    EXPECT_TRUE(host().boot_options.dry_run);
}

TEST_F(CommandLineTest, an_installation_as_a_document)
{
    host().installation = sample_installation();
    const Told told = run({"install", "web", "--json"});
    EXPECT_EQ(told.err, "");
    expect_golden("install.json", told.out);
}

TEST_F(CommandLineTest, what_an_installation_cannot_mean_is_a_usage_error)
{
    EXPECT_EQ(run({"install", "--init", "systemd,sysv", "web"}).code, 2);
    EXPECT_EQ(run({"install", "--root", "/x", "--now", "web"}).code, 2);
    EXPECT_EQ(run({"uninstall", "--root", "/x", "--user", "web"}).code, 2);
    EXPECT_EQ(run({"enable", "--root=", "web"}).code, 2);
    EXPECT_EQ(run({"generate", "--init", "none", "web"}).code, 2);
    EXPECT_EQ(run({"install"}).code, 2);
    EXPECT_EQ(run({"install", "a b"}).code, 6);
}

TEST_F(CommandLineTest, what_the_host_does_not_want_done_is_left_undone_and_told)
{
    host().objections = {{"start web", "policy-rc.d denies it"}, {"stop web", "policy-rc.d denies it"}, {"restart web", "no"}};
    const Told started = run({"start", "web", "db"});
    EXPECT_EQ(started.code, 0);
    EXPECT_EQ(started.out, "web: left as it is, no start: policy-rc.d denies it\ndb: started\n");
    EXPECT_THAT(run({"stop", "web", "--json"}).out, HasSubstr("\"left_by_policy\""));
    EXPECT_EQ(run({"try-restart", "web"}).out, "web: left as it is, no restart: no\n");
    EXPECT_EQ(run({"force-reload", "web"}).out, "web: left as it is, no restart: no\n");
    EXPECT_EQ(run({"reload", "web"}).out, "web: reloaded\n");
    EXPECT_EQ(host().calls, (std::vector<std::string>{"start db", "reload web"}));
    EXPECT_EQ(run({"start", "--here", "web"}).out, "web: started\n");
}

TEST_F(CommandLineTest, what_the_host_objects_to_does_not_keep_a_service_from_being_installed_or_removed)
{
    host().installation = {.name = "web", .system = InitSystem::systemd, .changed = true, .installed = true, .enabled = true};
    host().objections = {{"start web", "policy-rc.d denies it"}, {"stop web", "policy-rc.d denies it"}};
    const Told installed = run({"install", "--now", "web"});
    EXPECT_EQ(installed.code, 0);
    EXPECT_FALSE(host().install_options.now);
    EXPECT_EQ(installed.err, "steward: web: left as it is, no start: policy-rc.d denies it\n");
    EXPECT_EQ(run({"install", "web"}).err, "");
    EXPECT_EQ(run({"uninstall", "web"}).err, "steward: web: left as it is, no stop: policy-rc.d denies it\n");
    EXPECT_TRUE(host().uninstall_options.leave_running);
    host().objections.clear();
    EXPECT_EQ(run({"uninstall", "web"}).err, "");
    EXPECT_FALSE(host().uninstall_options.leave_running);
}

}  // namespace

}  // namespace steward::cli
