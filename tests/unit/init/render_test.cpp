// Which form a service gets, what is told of its keys, and what is refused.
#include <algorithm>

#include <gmock/gmock.h>

#include "rendering.hpp"

namespace steward::init {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string unit_of(const std::string& rest)
{
    const auto rendered = render_text(with_command(rest), InitSystem::systemd);
    return rendered ? rendered->files.front().text : rendered.error().message();
}

TEST(Render, a_file_of_two_lines_is_a_native_unit_that_knows_nothing_of_steward)
{
    const auto rendered = render_text(with_command(""), InitSystem::systemd);
    ASSERT_TRUE(rendered);
    EXPECT_FALSE(rendered->needs_steward);
    EXPECT_THAT(rendered->notes, IsEmpty());
    EXPECT_THAT(rendered->files.front().text, HasSubstr("\nExecStart=/bin/true\n"));
    EXPECT_THAT(rendered->files.front().text, Not(HasSubstr("/usr/bin/steward")));
}

TEST(Render, a_default_is_no_demand)
{
    EXPECT_THAT(unit_of(""), Not(HasSubstr("KillMode")));
    EXPECT_THAT(unit_of("[stop]\nmode = \"group\""), HasSubstr("KillMode=control-group"));
    EXPECT_THAT(unit_of(""), Not(HasSubstr("TimeoutStopSec")));
    EXPECT_THAT(unit_of("[stop]\ntimeout = \"10s\""), HasSubstr("TimeoutStopSec=10s"));
}

TEST(Render, one_key_that_systemd_has_no_words_for_brings_steward_in_and_is_named)
{
    const auto rendered = render_text(with_command("[restart]\nlimit = 3\ndelay = \"1s\""), InitSystem::systemd);
    ASSERT_TRUE(rendered);
    EXPECT_TRUE(rendered->needs_steward);
    ASSERT_EQ(rendered->notes.size(), 1U);
    EXPECT_EQ(rendered->notes.front().key, "restart.limit");
    EXPECT_EQ(rendered->notes.front().how, Expression::carried);
    EXPECT_THAT(rendered->files.front().text, HasSubstr("ExecStart=/usr/bin/steward run --here --system web\n"));
}

TEST(Render, the_journal_is_systemds_own_and_syslog_is_nobodys)
{
    EXPECT_THAT(unit_of("[log]\noutput = \"journal\""), HasSubstr("\nStandardOutput=journal\nStandardError=journal\n"));
    for (const InitSystem system : {InitSystem::systemd, InitSystem::runit}) {
        const auto rendered = render_text(with_command("[log]\noutput = \"syslog\""), system);
        ASSERT_TRUE(rendered);
        EXPECT_TRUE(rendered->needs_steward);
    }
    const auto elsewhere = render_text(with_command("[log]\noutput = \"journal\""), InitSystem::openrc, false);
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(elsewhere->notes.front().key, "log.output");
    EXPECT_EQ(elsewhere->notes.front().how, Expression::lost);
}

TEST(Render, a_value_that_systemd_cannot_say_brings_steward_in)
{
    const auto rendered = render_text("[service]\ncommand = [\"/bin/$x\"]", InitSystem::systemd);
    ASSERT_TRUE(rendered);
    EXPECT_TRUE(rendered->needs_steward);
    EXPECT_THAT(rendered->notes.front().key, "service.command");
}

TEST(Render, without_steward_what_it_would_carry_is_lost)
{
    const auto rendered = render_text(with_command("[restart]\nlimit = 3"), InitSystem::systemd, false);
    ASSERT_TRUE(rendered);
    EXPECT_FALSE(rendered->needs_steward);
    EXPECT_EQ(rendered->notes.front().how, Expression::lost);
}

TEST(Render, no_log_is_opened_by_root_where_the_services_user_could_have_put_a_link)
{
    const auto at = [](const std::string& path) {
        return "[service]\ncommand = [\"/bin/true\"]\nuser = \"app\"\n[log]\ntimestamps = \"none\"\nfile = \"" + path + "\"\n";
    };
    const auto plain = render_text(at("/var/log/app.log"), InitSystem::systemd);
    ASSERT_TRUE(plain);
    EXPECT_THAT(plain->notes, IsEmpty());
    EXPECT_THAT(plain->files.front().text, HasSubstr("append:/var/log/app.log"));
    const auto own = render_text(at("/var/log/app/app.log"), InitSystem::systemd);
    ASSERT_TRUE(own);
    EXPECT_TRUE(own->needs_steward);
    EXPECT_EQ(own->notes.front().key, "log.file");
    for (const InitSystem system : {InitSystem::systemd, InitSystem::sysv, InitSystem::openrc, InitSystem::runit, InitSystem::s6}) {
        const auto without = render_text(at("/var/log/app/app.log"), system, false);
        ASSERT_TRUE(without);
        EXPECT_EQ(without->notes.front().how, Expression::lost);
        for (const auto& file : without->files) EXPECT_THAT(file.text, Not(HasSubstr("/var/log/app/app.log")));
    }
    const auto roots = render_text(with_command("[log]\ntimestamps = \"none\"\nfile = \"/var/log/app/app.log\""), InitSystem::systemd);
    EXPECT_THAT(roots->notes, IsEmpty());
}

TEST(Render, what_could_not_even_be_started_is_refused)
{
    const auto rendered = render_text("[service]\ncommand = [\"/bin/$x\"]", InitSystem::systemd, false);
    ASSERT_FALSE(rendered);
    EXPECT_EQ(rendered.error().code, ErrorCode::invalid_service_file);
}

TEST(Render, the_service_file_can_say_who_supervises)
{
    const std::string by_init = with_command("[restart]\nlimit = 3\n[install]\nsupervisor = \"init\"\n");
    const std::string by_steward = with_command("[install]\nsupervisor = \"steward\"\n");
    for (const InitSystem system : init_systems) {
        const auto alone = render_text(by_init, system);
        ASSERT_TRUE(alone);
        EXPECT_FALSE(alone->needs_steward);
        EXPECT_TRUE(std::ranges::any_of(alone->notes, [](const KeyNote& note) { return note.how == Expression::lost; }));
        EXPECT_TRUE(render_text(by_steward, system)->needs_steward);
    }
}

TEST(Render, settings_of_systemds_go_into_the_unit_in_either_form_and_are_lost_elsewhere)
{
    const std::string settings =
        "[systemd.Unit]\nConflicts = \"a.service\"\n[systemd.Service]\nReadWritePaths = [\"/a\", \"/b\"]\n[systemd.Install]\nRequiredBy = "
        "\"x.target\"\n";
    for (const std::string more : {"", "[restart]\nlimit = 3\n"}) {
        const std::string unit = unit_of(more + settings);
        EXPECT_THAT(unit, HasSubstr("\nConflicts=a.service\n"));
        EXPECT_THAT(unit, HasSubstr("\nReadWritePaths=/a\nReadWritePaths=/b\n"));
        EXPECT_THAT(unit, HasSubstr("[Install]\nRequiredBy=x.target\n"));
        EXPECT_THAT(unit, Not(HasSubstr("WantedBy")));
    }
    const auto elsewhere = render_text(with_command(settings), InitSystem::sysv);
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(std::ranges::count(elsewhere->notes, Expression::lost, &KeyNote::how), 3);
}

TEST(Render, an_unsupervised_service_is_the_init_systems_own_where_that_supervises)
{
    for (const InitSystem system : {InitSystem::systemd, InitSystem::runit, InitSystem::s6, InitSystem::dinit}) {
        const auto rendered = render_text(with_command("supervise = false"), system);
        ASSERT_TRUE(rendered);
        EXPECT_FALSE(rendered->needs_steward) << to_string(system);
    }
    EXPECT_TRUE(render_text(with_command("supervise = false"), InitSystem::sysv)->needs_steward);
}

TEST(Render, a_newline_is_refused)
{
    for (const std::string& text :
         {std::string(R"([service]
command = ["/bin/true", "a\nb"])"),
          with_command(R"(environment = { A = "x\ny" })"), with_command("[stop]\ncommand = [\"/bin/a\", \"\\n\"]"),
          with_command("[reload]\ncommand = [\"/bin/a\", \"x\\r\"]")}) {
        for (const InitSystem system : init_systems) {
            const auto rendered = render_text(text, system);
            ASSERT_FALSE(rendered) << to_string(system) << text;
            EXPECT_EQ(rendered.error().code, ErrorCode::invalid_service_file);
            EXPECT_THAT(rendered.error().cause, HasSubstr("newline"));
        }
    }
}

TEST(Render, a_name_that_an_init_system_would_misread_is_refused)
{
    EXPECT_EQ(render_text(with_command(""), InitSystem::dinit, true, "web@1").error().code, ErrorCode::invalid_service_file);
    EXPECT_EQ(render_text(with_command(""), InitSystem::openrc, true, "web.sh").error().code, ErrorCode::invalid_service_file);
    EXPECT_TRUE(render_text(with_command(""), InitSystem::systemd, true, "web@1"));
}

TEST(Render, only_systemd_has_a_user_scope)
{
    const auto unit = render_text(with_command(""), InitSystem::systemd, true, "web", Scope::user);
    ASSERT_TRUE(unit);
    EXPECT_THAT(unit->files.front().text, HasSubstr("WantedBy=default.target"));
    EXPECT_EQ(unit->files.front().path, "/usr/lib/systemd/user/web.service");
    for (const InitSystem system : init_systems) {
        if (system == InitSystem::systemd) continue;
        EXPECT_EQ(render_text(with_command(""), system, true, "web", Scope::user).error().code, ErrorCode::unsupported);
    }
}

TEST(Render, dependencies_are_written_in_the_init_systems_words)
{
    const std::string text =
        with_command("[dependencies]\nrequires = [\"db\", \"network-online\"]\nwants = [\"time\"]\nbefore = [\"web2\"]");
    EXPECT_THAT(render_text(text, InitSystem::systemd)->files.front().text,
                HasSubstr("Requires=db.service network-online.target\nAfter=db.service network-online.target time-sync.target\n"
                          "Before=web2.service\n"));
    EXPECT_THAT(render_text(text, InitSystem::sysv)->files.front().text,
                HasSubstr("# Required-Start:    $remote_fs $syslog db $network\n# Required-Stop:     $remote_fs $syslog db $network\n"
                          "# Should-Start:      $time\n# Should-Stop:       $time\n"
                          "# X-Start-Before:    web2\n# X-Stop-After:      web2\n"));
    EXPECT_THAT(render_text(text, InitSystem::openrc)->files.front().text,
                HasSubstr("    need db\n    use localmount net clock\n    before web2\n    use logger\n"));
}

TEST(Render, a_users_manager_is_not_asked_for_states_of_the_system)
{
    const auto unit =
        render_text(with_command("[dependencies]\nrequires = [\"db\", \"network-online\"]"), InitSystem::systemd, true, "web", Scope::user);
    EXPECT_THAT(unit->files.front().text, HasSubstr("Requires=db.service\nAfter=db.service\n"));
}

TEST(Render, a_dependency_that_the_init_system_cannot_say_is_lost_and_told)
{
    const auto lost = [](const std::string& dependencies, InitSystem system) {
        std::string keys;
        const auto rendered = render_text(with_command("[dependencies]\n" + dependencies), system);
        for (const KeyNote& note : rendered->notes) {
            EXPECT_EQ(note.how, Expression::lost);
            keys += note.key + " " + note.reason + ";";
        }
        return keys;
    };
    EXPECT_EQ(lost("requires = [\"db\"]", InitSystem::runit), "dependencies.requires has no equal there;");
    EXPECT_EQ(lost("requires = [\"db\"]", InitSystem::dinit), "");
    EXPECT_EQ(lost("requires = [\"network\"]", InitSystem::dinit),
              "dependencies.requires names a state of the system, for which dinit has no word;");
    EXPECT_EQ(lost("wants = [\"db\"]\nbefore = [\"db\"]", InitSystem::openrc),
              "dependencies.wants names what [dependencies] before names too;");
    EXPECT_EQ(lost("wants = [\"db\"]\nbefore = [\"db\"]", InitSystem::systemd), "");
}

TEST(Render, no_placeholder_is_left)
{
    for (const InitSystem system : init_systems) {
        for (const bool with_steward : {true, false}) {
            const auto rendered = render_text(with_command(""), system, with_steward);
            ASSERT_TRUE(rendered);
            for (const GeneratedFile& file : rendered->files) EXPECT_THAT(file.text, Not(HasSubstr("@"))) << file.path;
        }
    }
}

}  // namespace
}  // namespace steward::init
