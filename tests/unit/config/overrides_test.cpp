// A service file and its overrides become one spec: later files win, key by key, and every key tells where it came from.
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "helpers/scratch.hpp"
#include "loading.hpp"

namespace steward::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

class Overrides : public testing::Test {
  protected:
    Result<Loaded> load_with(const std::string& base, const std::vector<std::string>& overrides)
    {
        Sources sources{"web", directory.write("web.toml", base), {}};
        for (std::size_t i = 0; i < overrides.size(); ++i) {
            sources.overrides.push_back(directory.write("override-" + std::to_string(i) + ".toml", overrides[i]));
        }
        return load(sources);
    }

    Loaded loaded_with(const std::string& base, const std::vector<std::string>& overrides)
    {
        auto loaded = load_with(base, overrides);
        if (!loaded) ADD_FAILURE() << loaded.error().message();
        return loaded ? *loaded : Loaded{};
    }

    std::string origin(const Loaded& loaded, const std::string& path)
    {
        for (const ResolvedKey& key : loaded.keys) {
            if (key.path == path) return std::filesystem::path(key.file).filename().string() + ":" + std::to_string(key.line);
        }
        return "(none)";
    }

    test::ScratchDirectory directory;
};

TEST_F(Overrides, another_output_takes_along_what_was_said_of_the_log_files)
{
    const std::string base = with("[log]\nfile = \"/srv/x.log\"\nmax-size = \"1MiB\"\nrate-limit = \"10/1s\"\n");
    for (const std::string output : {"journal", "syslog"}) {
        const auto loaded = loaded_with(base, {"[log]\noutput = \"" + output + "\""});
        EXPECT_EQ(loaded.spec.log.file, "");
        EXPECT_EQ(loaded.spec.log.max_size, ServiceSpec::Log{}.max_size);
        EXPECT_EQ(loaded.spec.log.rate_limit.lines, 10U);
        EXPECT_EQ(origin(loaded, "log.max-size"), "(none)");
    }
    EXPECT_EQ(loaded_with(base, {"[log]\noutput = \"file\""}).spec.log.file, "/srv/x.log");
    EXPECT_FALSE(load_with(with("[log]\noutput = \"journal\"\n"), {"[log]\nkeep = 3"}));
}

TEST_F(Overrides, the_last_file_that_writes_a_key_wins)
{
    const auto loaded = loaded_with(with("user = \"a\"\n[stop]\ntimeout = \"1s\"\n"),
                                    {"[stop]\ntimeout = \"2s\"\nsignal = \"INT\"", "[stop]\ntimeout = \"3s\""});
    EXPECT_EQ(loaded.spec.stop.timeout, 3s);
    EXPECT_EQ(loaded.spec.service.user, "a");
    EXPECT_EQ(origin(loaded, "stop.timeout"), "override-1.toml:2");
    EXPECT_EQ(origin(loaded, "stop.signal"), "override-0.toml:3");
    EXPECT_EQ(origin(loaded, "service.user"), "web.toml:3");
    EXPECT_EQ(origin(loaded, "stop.mode"), ":0");
    EXPECT_THAT(loaded.files, SizeIs(3));
}

TEST_F(Overrides, environment_and_limits_merge_and_lists_are_replaced)
{
    const auto loaded =
        loaded_with(with("documentation = [\"a\", \"b\"]\nenvironment = { A = \"1\", B = \"1\" }\n[limits]\nnofile = 1\nnproc = 1"),
                    {"[service]\ndocumentation = [\"c\"]\nenvironment.B = \"2\"\nenvironment.C = \"2\"\n[limits]\nnofile = 2"});
    EXPECT_THAT(loaded.spec.service.environment, ElementsAre(Pair("A", "1"), Pair("B", "2"), Pair("C", "2")));
    EXPECT_THAT(loaded.spec.limits, ElementsAre(Pair("nofile", ResourceLimit{2, 2}), Pair("nproc", ResourceLimit{1, 1})));
    EXPECT_THAT(loaded.spec.service.documentation, ElementsAre("c"));
    EXPECT_EQ(origin(loaded, "service.environment.A"), "web.toml:4");
    EXPECT_EQ(origin(loaded, "service.environment.B"), "override-0.toml:3");
    EXPECT_EQ(origin(loaded, "service.environment.C"), "override-0.toml:4");
}

TEST_F(Overrides, a_later_way_to_reload_replaces_the_earlier)
{
    const auto loaded = loaded_with(with("[reload]\nsignal = \"HUP\""), {"[reload]\ncommand = [\"/bin/reload\"]"});
    EXPECT_EQ(loaded.spec.reload.signal, 0);
    EXPECT_THAT(loaded.spec.reload.command, ElementsAre("/bin/reload"));
    EXPECT_EQ(origin(loaded, "reload.signal"), "(none)");
}

TEST_F(Overrides, the_command_may_stand_in_an_override)
{
    EXPECT_THAT(loaded_with("[service]\nuser = \"a\"", {"[service]\ncommand = \"/bin/true\""}).spec.service.command,
                ElementsAre("/bin/true"));
}

TEST_F(Overrides, faults_of_all_files_are_told_in_the_order_of_the_files)
{
    const auto loaded = load_with("[service]\ncommand = 1\n", {"[stop]\n\nx = 1\ntimeout = 1", "syntax"});
    ASSERT_FALSE(loaded);
    ASSERT_THAT(loaded.error().diagnostics, SizeIs(4));
    EXPECT_EQ(loaded.error().code, ErrorCode::invalid_service_file);
    EXPECT_EQ(loaded.error().diagnostics[0].file, directory / "web.toml");
    EXPECT_EQ(loaded.error().diagnostics[1].line, 3U);
    EXPECT_EQ(loaded.error().diagnostics[2].line, 4U);
    EXPECT_EQ(loaded.error().diagnostics[3].file, directory / "override-1.toml");
    EXPECT_THAT(loaded.error().message(), HasSubstr("web.toml': 4 faults"));
}

TEST_F(Overrides, a_contradiction_between_files_is_told_where_the_key_stands)
{
    const auto loaded = load_with(with("[restart]\nlimit = 3\n"), {"[service]\nsupervise = false"});
    ASSERT_FALSE(loaded);
    ASSERT_THAT(loaded.error().diagnostics, SizeIs(1));
    EXPECT_EQ(loaded.error().diagnostics[0].file, directory / "web.toml");
    EXPECT_EQ(loaded.error().diagnostics[0].line, 4U);
}

TEST_F(Overrides, an_override_that_cannot_be_read_is_named)
{
    const Sources sources{"web", directory.write("web.toml", with("")), {directory / "missing.toml"}};
    const auto loaded = load(sources);
    ASSERT_FALSE(loaded);
    ASSERT_THAT(loaded.error().diagnostics, SizeIs(1));
    EXPECT_EQ(loaded.error().diagnostics[0].file, directory / "missing.toml");
    EXPECT_EQ(loaded.error().os_errno, ENOENT);
}

}  // namespace
}  // namespace steward::config
