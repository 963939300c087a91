#include "manager/key_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.hpp"

namespace steward::manager {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ServiceSpec spec_of(const std::string& more)
{
    auto loaded = config::load_text("[service]\ncommand = [\"/bin/true\"]\n" + more, "web.toml", "web");
    EXPECT_TRUE(loaded) << loaded.error().message();
    return loaded ? loaded->spec : ServiceSpec{};
}

// Each as "KEY BEFORE AFTER MEANS".
std::vector<std::string> changes(const std::string& before, const std::string& now, bool has_unit = false)
{
    std::vector<std::string> told;
    for (const KeyChange& change : key_changes(spec_of(before), spec_of(now), has_unit))
        told.push_back(change.key + " " + change.before + " " + change.after + " " + std::string(to_string(change.means)));
    return told;
}

TEST(KeyChanges, what_is_the_same_in_other_words_has_not_changed)
{
    EXPECT_THAT(changes("", ""), IsEmpty());
    EXPECT_THAT(changes("", "# a remark\n[restart]\ndelay = \"0.1s\"\n[stop]\nsignal = \"SIGTERM\"\n"), IsEmpty());
}

TEST(KeyChanges, what_the_program_was_given_at_its_start_takes_a_restart)
{
    EXPECT_THAT(
        changes("umask = \"022\"\nenvironment = { A = \"1\", B = \"2\" }\n", "umask = \"027\"\nenvironment = { B = \"3\", C = \"4\" }\n"),
        ElementsAre("service.umask \"022\" \"027\" restart", "service.environment.B \"2\" \"3\" restart",
                    "service.environment.C  \"4\" restart", "service.environment.A \"1\"  restart"));
    EXPECT_THAT(changes("", "environment = { A = \"1\" }\n"), ElementsAre("service.environment.A  \"1\" restart"));
    EXPECT_THAT(changes("", "[ready]\nnotify = true\n"), ElementsAre("ready.notify  true restart"));
    EXPECT_THAT(changes("", "[limits]\nnofile = 100\n[log]\noutput = \"null\"\n"),
                ElementsAre("log.output \"auto\" \"null\" restart", "limits.nofile  100 restart"));
}

TEST(KeyChanges, what_the_supervisor_decides_by_takes_a_word_to_it)
{
    EXPECT_THAT(changes("", "description = \"x\"\n[stop]\ntimeout = \"1s\"\n[restart]\nlimit = 3\n"),
                ElementsAre("service.description  \"x\" signal", "stop.timeout \"10s\" \"1s\" signal", "restart.limit 0 3 signal"));
    EXPECT_THAT(changes("[hooks]\npost-start = [\"/bin/true\"]\n", "[hooks]\npost-start = [\"/bin/false\"]\n[log]\nkeep = 9\n"),
                ElementsAre("hooks.post-start [\"/bin/true\"] [\"/bin/false\"] signal", "log.keep 5 9 signal"));
    EXPECT_EQ(furthest(key_changes(spec_of(""), spec_of("[health]\ncommand = [\"/bin/true\"]\n"), false)), Means::signal);
    // Where there is none, whoever stops it reads that then.
    EXPECT_THAT(changes("supervise = false\n", "supervise = false\n[stop]\ntimeout = \"1s\"\n"),
                ElementsAre("stop.timeout \"10s\" \"1s\" live"));
}

TEST(KeyChanges, what_is_read_when_somebody_asks_holds_at_once)
{
    EXPECT_THAT(changes("", "[ready]\ntimeout = \"5s\"\n[dependencies]\nafter = [\"db\"]\n[install]\nenable = false\n"),
                ElementsAre("ready.timeout  \"5s\" live", "dependencies.after [] [\"db\"] live", "install.enable true false live"));
}

TEST(KeyChanges, what_only_a_unit_says_takes_a_restart_where_there_is_one)
{
    const std::string settings = "[install]\nsupervisor = \"steward\"\n[systemd.Service]\nDynamicUser = true\n";
    EXPECT_THAT(changes("", settings, true),
                ElementsAre("install.supervisor \"auto\" \"steward\" restart", "systemd.Service.DynamicUser  \"true\" restart"));
    EXPECT_THAT(changes("", settings, false),
                ElementsAre("install.supervisor \"auto\" \"steward\" live", "systemd.Service.DynamicUser  \"true\" live"));
}

TEST(KeyChanges, the_furthest_means_is_what_is_done)
{
    EXPECT_EQ(furthest({}), std::nullopt);
    EXPECT_EQ(furthest(key_changes(spec_of(""), spec_of("[install]\nenable = false\n"), false)), Means::live);
    EXPECT_EQ(furthest(key_changes(spec_of(""), spec_of("[stop]\ntimeout = \"1s\"\n[install]\nenable = false\n"), false)), Means::signal);
    EXPECT_EQ(furthest(key_changes(spec_of(""), spec_of("umask = \"077\"\n[stop]\ntimeout = \"1s\"\n"), false)), Means::restart);
}

}  // namespace
}  // namespace steward::manager
