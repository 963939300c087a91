// apply: its words, its document, its exit codes.
#include <gmock/gmock.h>

#include "command_line_test.hpp"
#include "golden.hpp"

namespace steward::cli {

namespace {

Application sample_application()
{
    return {.name = "web",
            .running = true,
            .means = Means::restart,
            .reason = "",
            .keys = {{.key = "service.environment.A", .before = "", .after = "\"b\"", .means = Means::restart},
                     {.key = "restart.delay", .before = "\"100ms\"", .after = "\"1s\"", .means = Means::signal},
                     {.key = "dependencies.after", .before = "[]", .after = "[\"db\"]", .means = Means::live}},
            .files = {{.kind = FileChange::Kind::unchanged, .path = "/etc/steward/web.toml", .difference = {}},
                      {.kind = FileChange::Kind::updated, .path = "/etc/init.d/web", .difference = {"-old", "+new"}}},
            .kept_edits = false};
}

TEST_F(CommandLineTest, apply_tells_each_key_with_what_it_takes)
{
    host().application = sample_application();
    const Told told = run({"apply", "web"});
    EXPECT_EQ(told.code, 0);
    EXPECT_EQ(told.out,
              "web: restart: service.environment.A: none → \"b\"\n"
              "web: signal: restart.delay: \"100ms\" → \"1s\"\n"
              "web: live: dependencies.after: [] → [\"db\"]\n"
              "web: updated /etc/init.d/web\n"
              "    -old\n"
              "    +new\n"
              "web: restarted\n");
    EXPECT_FALSE(host().apply_options.dry_run);
    const std::string dry = run({"apply", "--dry-run", "web"}).out;
    EXPECT_NE(dry.find("web: would be updated /etc/init.d/web\n"), std::string::npos);
    EXPECT_TRUE(dry.ends_with("web: would be restarted\n"));
    EXPECT_TRUE(host().apply_options.dry_run);
    EXPECT_EQ(run({"apply", "-q", "web"}).out, "");
}

TEST_F(CommandLineTest, apply_says_what_was_done_and_why)
{
    const auto said = [&](const Application& application) {
        host().application = application;
        return run({"apply", "web"}).out;
    };
    EXPECT_EQ(said({.running = true}), "web: runs as its file says\n");
    EXPECT_EQ(said({.running = true, .means = Means::live}), "web: applied live\n");
    EXPECT_EQ(said({.running = true, .means = Means::signal}), "web: applied by signal\n");
    EXPECT_EQ(said({.running = true, .means = Means::restart, .reason = "it cannot be told"}), "web: restarted: it cannot be told\n");
    EXPECT_EQ(said({.running = true, .reason = "its service file is gone"}), "web: is left as it is: its service file is gone\n");
    EXPECT_EQ(said({}), "web: is not running\n");
}

TEST_F(CommandLineTest, apply_exits_1_where_an_edited_file_was_kept)
{
    host().application = {.kept_edits = true};
    EXPECT_EQ(run({"apply", "web"}).code, 1);
    EXPECT_EQ(run({"apply", "--json", "web"}).code, 1);
}

TEST_F(CommandLineTest, bare_apply_is_of_every_service)
{
    host().services = {{"a", running_service("a")}, {"b", running_service("b")}};
    EXPECT_EQ(run({"apply"}).out, "a: is not running\nb: is not running\n");
    host().errors["a"] = Error{.code = ErrorCode::invalid_service_file, .operation = "load", .object = "a", .cause = "it is not valid"};
    EXPECT_EQ(run({"apply"}).code, 6);
}

TEST_F(CommandLineTest, an_application_as_a_document)
{
    host().application = sample_application();
    expect_golden("apply.json", run({"apply", "web", "--json"}).out);
}

}  // namespace

}  // namespace steward::cli
