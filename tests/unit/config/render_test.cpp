// A spec becomes a service file that says exactly the same: what the record keeps of a started service.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <limits>
#include <random>

#include "config/rules.hpp"
#include "helpers/scratch.hpp"
#include "loading.hpp"

namespace steward::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

void expect_round_trip(const ServiceSpec& spec)
{
    const std::string text = render(spec);
    const auto again = load_text(text, "service.toml", spec.name);
    ASSERT_TRUE(again) << text << "\n" << faults_of(text);
    EXPECT_EQ(again->spec, spec) << text;
}

ServiceSpec with_command(Argv command)
{
    ServiceSpec spec;
    spec.name = "web";
    spec.service.command = std::move(command);
    return spec;
}

TEST(Render, every_sample_survives)
{
    std::size_t samples = 0;
    for (const auto& entry : std::filesystem::directory_iterator(STEWARD_SOURCE_ROOT "/etc")) {
        if (entry.path().extension() != ".toml") continue;
        ++samples;
        const std::string text = test::content_of(entry.path());
        expect_round_trip(spec_of(text, entry.path(), entry.path().stem()));
    }
    EXPECT_GE(samples, 4U);
}

TEST(Render, every_member_survives)
{
    ServiceSpec spec = with_command({"/bin/true"});
    spec.service.description = "é \"x\" \\ '";
    spec.service.documentation = {"a", ""};
    spec.service.options_variable = "OPTS";
    spec.service.working_directory = "/srv/a b";
    spec.service.root_directory = "/jail";
    spec.service.user = "www-data";
    spec.service.group = "adm";
    spec.service.supplementary_groups = {"a", "b"};
    spec.service.umask = 0;
    spec.service.environment = {{"A", ""}, {"b c.d", "x\ny\"z"}, {"é", "1"}};
    spec.service.environment_files = {{"/a", true}, {"/b", false}};
    spec.service.inherit_environment = InheritEnvironment::listed;
    spec.service.inherited_variables = {"TZ"};
    spec.service.pid_file = "/run/x.pid";
    spec.directories = {{"r"}, {"s", "s/t"}, {"c"}, {"l"}, {"e"}, 07777};
    spec.stop = {{"/bin/stop"}, SIGRTMIN + 2, 1us, StopMode::main};
    spec.reload = {SIGHUP, {}};
    spec.restart = {RestartPolicyKind::always, 0s, 1.1, 24h * 365, 1.0 / 3, 0s, 4294967295U, {0, 255}};
    spec.log = {LogOutput::file, "/var/log/x", "/var/log/y"};
    constexpr auto infinity = std::numeric_limits<std::uint64_t>::max();
    spec.limits = {{"as", {infinity, infinity}}, {"core", {0, infinity}}, {"nofile", {1, 2}}, {"nproc", {infinity - 1, infinity - 1}}};
    spec.resources = {.memory = 1, .cpu = 1, .tasks = 1, .nice = 0, .oom_score_adjust = 0, .cpu_affinity = {0, 8191}};
    spec.security = {true, std::vector<std::string>{"cap_chown"}, {"cap_chown"}};
    expect_round_trip(spec);

    spec.reload = {0, {"/bin/reload", ""}};
    spec.security.capabilities.emplace();
    spec.security.ambient_capabilities.clear();
    spec.service.inherit_environment = InheritEnvironment::no;
    spec.service.inherited_variables.clear();
    spec.log = {LogOutput::null, "", ""};
    expect_round_trip(spec);
}

TEST(Render, an_unsupervised_service_survives)
{
    ServiceSpec spec = with_command({"/bin/true"});
    spec.service.supervise = false;
    spec.restart.policy = RestartPolicyKind::never;
    spec.log.timestamps = LogTimestamps::none;
    spec.log.max_size = 0;
    expect_round_trip(spec);
}

TEST(Render, any_argument_survives)
{
    std::mt19937 random(7);  // the same arguments in every run
    const std::vector<std::string> pieces{"\"",     "\\",     "'",     "\n",     "\t",  "\r", "\x01",   "\x1f", "\x7f",    "é",
                                          "\u0085", "\u2028", "🙂",  "\"\"\"", "'''", "#",  "=",      "[x]",  "\\u0041", "\\n",
                                          "%i",     "%%",     "$HOME", "`id`",   " ",   "a",  "\ufeff", "{}"};
    for (int round = 0; round < 300; ++round) {
        Argv command{"/bin/x"};
        for (int word = 0; word < 4; ++word) {
            std::string text;
            for (auto length = random() % 12; length > 0; --length) text += pieces[random() % pieces.size()];
            command.push_back(text);
        }
        ServiceSpec spec = with_command(command);
        spec.service.environment["X"] = command.back();
        expect_round_trip(spec);
    }
}

TEST(Render, defaults_are_left_out)
{
    EXPECT_EQ(render(with_command({"/bin/true"})), "[service]\ncommand = [\"/bin/true\"]\n");
}

TEST(Render, a_made_spec_is_held_to_the_rules_of_a_file)
{
    const auto made = load_made(with_command({"/bin/sleep", "1"}));
    ASSERT_TRUE(made);
    EXPECT_EQ(shown(made->keys, "service.command"), "[\"/bin/sleep\", \"1\"]");
    EXPECT_EQ(made->keys.front().line, 0U);
    EXPECT_TRUE(made->files.empty());

    const auto empty = load_made(with_command({""}));
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().code, ErrorCode::invalid_service_file);
    ASSERT_THAT(empty.error().diagnostics, SizeIs(1));
    EXPECT_EQ(empty.error().diagnostics[0].line, 0U);
}

TEST(Render, what_toml_cannot_hold_is_refused_and_not_changed)
{
    const auto made = load_made(with_command({"/bin/echo", "\xff\xfe"}));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(made.error().message(), HasSubstr("UTF-8"));
}

TEST(Show, tells_defaults_and_written_keys_in_the_order_of_the_manual_page)
{
    const auto loaded = load_text(with("user = \"daemon\"\nenvironment.\"b c\" = \"1\"\n[restart]\nfactor = 3"), "web.toml", "web");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(shown(loaded->keys, "service.user"), "\"daemon\"");
    EXPECT_EQ(shown(loaded->keys, "service.environment.\"b c\""), "\"1\"");
    EXPECT_EQ(shown(loaded->keys, "restart.factor"), "3");
    EXPECT_EQ(shown(loaded->keys, "restart.jitter"), "0.1");
    EXPECT_EQ(shown(loaded->keys, "restart.delay"), "\"100ms\"");
    EXPECT_EQ(shown(loaded->keys, "stop.signal"), "\"TERM\"");
    EXPECT_EQ(shown(loaded->keys, "service.umask"), "\"022\"");
    EXPECT_EQ(shown(loaded->keys, "log.timestamps"), "\"iso8601\"");
    EXPECT_EQ(shown(loaded->keys, "service.group"), "(none)");
    EXPECT_EQ(shown(loaded->keys, "hooks.pre-start"), "(none)");
    EXPECT_EQ(loaded->keys.front().path, "service.documentation");
    EXPECT_EQ(loaded->keys.back().path, "install.supervisor");
}

TEST(Show, what_it_tells_is_itself_a_service_file)
{
    const auto loaded = load_text(test::content_of(STEWARD_SOURCE_ROOT "/etc/web.toml"), "web.toml", "web");
    ASSERT_TRUE(loaded);
    std::string text;
    for (const ResolvedKey& key : loaded->keys) text += key.path + " = " + key.value + "\n";
    EXPECT_EQ(spec_of(text), loaded->spec);
}

}  // namespace
}  // namespace steward::config
