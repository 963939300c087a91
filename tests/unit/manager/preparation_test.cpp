#include "manager/preparation.hpp"

#include "managing.hpp"

namespace steward::manager {
namespace {

using testing::HasSubstr;
using Kind = supervise::OutputTarget::Kind;

class PreparationTest : public test::Host {
  protected:
    [[nodiscard]] Preparation prepared(Foreground foreground = Foreground::no) const
    {
        auto made = prepare(locate(), foreground, MakeDirectories::no);
        EXPECT_TRUE(made) << made.error().message();
        if (!made) return {};
        return std::move(*made);
    }
};

TEST_F(PreparationTest, chooses_the_output)
{
    struct Case {
        std::string log;
        Kind daemon, foreground;
    };
    const std::string file = "file = \"" + scratch_ / "x.log" + "\"\n";
    for (const auto& [log, daemon, foreground] :
         {Case{"", Kind::file, Kind::inherit}, Case{"output = \"auto\"\n", Kind::file, Kind::inherit},
          Case{"output = \"file\"\n", Kind::file, Kind::file}, Case{file, Kind::file, Kind::file},
          Case{"stderr-" + file, Kind::file, Kind::file}, Case{"output = \"null\"\n", Kind::null, Kind::null},
          Case{"output = \"inherit\"\n", Kind::null, Kind::inherit}, Case{"output = \"journal\"\n", Kind::journal, Kind::journal},
          Case{"output = \"syslog\"\n", Kind::syslog, Kind::syslog}}) {
        write_sleeper("[log]\n" + log);
        EXPECT_EQ(prepared(Foreground::no).output.kind, daemon) << log;
        EXPECT_EQ(prepared(Foreground::yes).output.kind, foreground) << log;
    }
}

TEST_F(PreparationTest, knows_the_daemons_that_lines_are_sent_to)
{
    write_sleeper("[log]\noutput = \"journal\"\n");
    EXPECT_EQ(prepared().output.socket, "/run/systemd/journal/socket");
    test::Surroundings::set("STEWARD_JOURNAL_SOCKET", "/srv/journal");
    EXPECT_EQ(prepared().output.socket, "/srv/journal");
    write_sleeper("[log]\noutput = \"syslog\"\n");
    EXPECT_EQ(prepared().output.socket, "/dev/log");
    test::Surroundings::set("STEWARD_SYSLOG_SOCKET", "/srv/log");
    EXPECT_EQ(prepared().output.socket, "/srv/log");
}

TEST_F(PreparationTest, puts_the_log_where_the_file_says_else_where_the_scope_has_it)
{
    write_sleeper();
    EXPECT_EQ(prepared().output.log_file, scratch_ / "log/web.log");
    write_sleeper("[log]\nfile = \"/srv/x.log\"\nstderr-file = \"/srv/x.err\"\n");
    EXPECT_EQ(prepared().output.log_file, "/srv/x.log");
    EXPECT_EQ(prepared().output.stderr_file, "/srv/x.err");
}

TEST_F(PreparationTest, keeps_services_of_one_name_in_different_places_apart)
{
    write_sleeper();
    const auto here = prepared().cgroup_name;
    EXPECT_THAT(here, testing::StartsWith("web-"));
    EXPECT_EQ(prepared().cgroup_name, here);
    test::Surroundings::set("STEWARD_RUNTIME_DIR", scratch_ / "other");
    EXPECT_NE(prepared().cgroup_name, here);
}

TEST_F(PreparationTest, names_the_file_and_its_stamp)
{
    write_sleeper();
    const auto first = prepared();
    EXPECT_EQ(first.service_file, scratch_ / "etc/web.toml");
    EXPECT_NE(first.file_digest, 0U);
    write_sleeper("description = \"other\"\n");
    EXPECT_NE(prepared().file_digest, first.file_digest);
}

TEST_F(PreparationTest, refuses_a_pid_file_whose_place_is_not_safe_before_anything_is_stopped)
{
    std::filesystem::create_symlink("/etc/passwd", pid_file());
    write_sleeper();
    const auto made = prepare(locate(), Foreground::no, MakeDirectories::no);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::untrusted_pid_file);
}

TEST_F(PreparationTest, accepts_a_pid_file_whose_directory_is_yet_to_be_made)
{
    test::Surroundings::set("STEWARD_RUNTIME_DIR", scratch_ / "not/yet");
    write_sleeper();
    EXPECT_EQ(prepared().pid_file, scratch_ / "not/yet/web.pid");
}

TEST_F(PreparationTest, names_a_program_that_is_missing_for_the_service_and_for_its_commands)
{
    write_service("[service]\ncommand = [\"/no/such/program\"]\n");
    EXPECT_EQ(prepare(locate(), Foreground::no, MakeDirectories::no).error().code, ErrorCode::program_missing);
    for (const char* table : {"stop", "reload"}) {
        write_sleeper("[" + std::string(table) + "]\ncommand = [\"/no/such/command\"]\n");
        const auto made = prepare(locate(), Foreground::no, MakeDirectories::no);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, ErrorCode::program_missing);
        EXPECT_THAT(made.error().message(), HasSubstr("/no/such/command"));
    }
}

TEST_F(PreparationTest, of_a_service_whose_file_has_gone_is_refused_but_not_of_one_that_never_had_any)
{
    auto state = a_state(ServiceState::running);
    state.service_file = scratch_ / "etc/web.toml";
    ASSERT_TRUE(record().write_state(state));
    ASSERT_TRUE(record().write_service_file("[service]\ncommand = [\"" + test::helper("sleep_forever") + "\"]\n"));
    const auto made = prepare(locate(), Foreground::no, MakeDirectories::no);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::unknown_service);

    state.service_file.clear();
    ASSERT_TRUE(record().write_state(state));
    EXPECT_EQ(prepared().spec.service.command.front(), test::helper("sleep_forever"));
}

TEST_F(PreparationTest, of_what_runs_goes_by_how_it_was_started)
{
    write_service("[service]\ncommand = [\"/no/such/program\"]\n");
    auto state = a_state(ServiceState::running);
    state.pid_file = scratch_ / "run/old.pid";
    state.service_file = "/etc/steward/web.toml";
    state.file_digest = 99;
    ASSERT_TRUE(record().write_state(state));
    ASSERT_TRUE(
        record().write_service_file("[service]\ncommand = [\"" + test::helper("sleep_forever") + "\"]\n[stop]\nsignal = \"QUIT\"\n"));
    const auto made = prepare_started(locate(), state, Foreground::no);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->spec.stop.signal, SIGQUIT);
    EXPECT_EQ(made->plan.program, test::helper("sleep_forever"));
    EXPECT_EQ(made->pid_file, state.pid_file);
    EXPECT_EQ(made->service_file, state.service_file);
    EXPECT_EQ(made->file_digest, 99U);
}

}  // namespace
}  // namespace steward::manager
