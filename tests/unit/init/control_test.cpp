#include "init/control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace steward::init {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

os::CommandEnd ended(int code, std::string output = {})
{
    os::CommandEnd end;
    end.exit.code = code;
    end.output = std::move(output);
    return end;
}

// A Control whose tools only say what the test wants them to.
class ControlTest : public testing::Test {
  protected:
    [[nodiscard]] std::unique_ptr<Control> control(InitSystem system, Scope scope = Scope::system)
    {
        return make_control(system, scope, [this](const Argv& command) -> Result<os::CommandEnd> {
            commands_.push_back(command);
            return answer_;
        });
    }

    std::vector<Argv> commands_;
    Result<os::CommandEnd> answer_ = ended(0);
};

TEST_F(ControlTest, each_init_system_is_asked_by_its_own_tool)
{
    EXPECT_TRUE(control(InitSystem::systemd)->start("web"));
    EXPECT_TRUE(control(InitSystem::sysv)->stop("web"));
    EXPECT_TRUE(control(InitSystem::openrc)->restart("web"));
    EXPECT_TRUE(control(InitSystem::runit)->reload("web"));
    EXPECT_THAT(commands_, ElementsAre(ElementsAre("systemctl", "--no-pager", "--quiet", "start", "web.service"),
                                       ElementsAre("/etc/init.d/web", "stop"), ElementsAre("rc-service", "web", "restart"),
                                       ElementsAre("sv", "-w", "7", "reload", "/etc/service/web")));
}

TEST_F(ControlTest, runit_has_all_the_time_for_a_stop_and_sv_its_own_for_a_start)
{
    EXPECT_TRUE(control(InitSystem::runit)->restart("web"));
    EXPECT_THAT(commands_, ElementsAre(ElementsAre("sv", "-w", "86400", "stop", "/etc/service/web"),
                                       ElementsAre("sv", "-w", "7", "start", "/etc/service/web")));
}

TEST_F(ControlTest, a_users_systemd_is_another)
{
    EXPECT_TRUE(control(InitSystem::systemd, Scope::user)->read_anew());
    EXPECT_THAT(commands_, ElementsAre(ElementsAre("systemctl", "--user", "--no-pager", "--quiet", "daemon-reload")));
    EXPECT_EQ(control(InitSystem::sysv, Scope::user), nullptr);
    EXPECT_EQ(control(InitSystem::s6), nullptr);
    EXPECT_EQ(control(InitSystem::dinit), nullptr);
}

TEST_F(ControlTest, a_tool_that_fails_is_named_with_what_it_said)
{
    answer_ = ended(5, "Job failed.\n\nSee the journal.\n");
    const auto started = control(InitSystem::systemd)->start("web");
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("cannot start web: systemctl ended with exit code 5"));
    EXPECT_THAT(started.error().detail, ElementsAre("Job failed.", "See the journal."));
}

TEST_F(ControlTest, a_scripts_exit_codes_have_the_standards_meaning)
{
    const std::map<int, ErrorCode> meanings{
        {1, ErrorCode::failed},          {2, ErrorCode::invalid_argument},     {3, ErrorCode::unsupported}, {4, ErrorCode::not_permitted},
        {5, ErrorCode::program_missing}, {6, ErrorCode::invalid_service_file}, {7, ErrorCode::not_running}, {150, ErrorCode::failed}};
    for (const auto& [code, meaning] : meanings) {
        answer_ = ended(code);
        EXPECT_EQ(control(InitSystem::sysv)->reload("web").error().code, meaning) << code;
        EXPECT_EQ(control(InitSystem::openrc)->reload("web").error().code, ErrorCode::failed) << code;
    }
}

TEST_F(ControlTest, only_runit_tells_what_it_has_started)
{
    answer_ = ended(0, "run: /etc/service/web: (pid 12) 3s, want down; run: log: (pid 11) 9s\n");
    EXPECT_EQ(control(InitSystem::runit)->main_pid("web"), 12);
    EXPECT_EQ(control(InitSystem::sysv)->main_pid("web"), 0);
    answer_ = ended(0, "down: /etc/service/web: 3s; run: log: (pid 11) 9s\n");
    EXPECT_EQ(control(InitSystem::runit)->main_pid("web"), 0);
    answer_ = ended(1, "fail: /etc/service/web: unable to change to service directory: file does not exist\n");
    EXPECT_EQ(control(InitSystem::runit)->main_pid("web"), 0);
}

TEST_F(ControlTest, a_tool_that_is_not_there_is_named)
{
    answer_ =
        fail(Error{.code = ErrorCode::program_missing, .operation = "run", .object = "'systemctl'", .cause = "No such file or directory"});
    const auto started = control(InitSystem::systemd)->start("web");
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::program_missing);
    EXPECT_THAT(started.error().message(), HasSubstr("cannot start web: systemctl: No such file"));
    EXPECT_FALSE(control(InitSystem::systemd)->knows("web"));
    EXPECT_FALSE(control(InitSystem::systemd)->boot_state("web"));
    EXPECT_FALSE(control(InitSystem::systemd)->runs("web"));
}

TEST_F(ControlTest, systemd_knows_every_unit_but_those_that_it_cannot_find)
{
    const std::map<std::string, bool> words{{"loaded", true}, {"masked", true}, {"bad-setting", true}, {"not-found", false}};
    for (const auto& [word, known] : words) {
        answer_ = ended(0, word + "\n");
        EXPECT_EQ(control(InitSystem::systemd)->knows("web").value(), known) << word;
    }
    answer_ = ended(1, "Failed to connect to bus\n");
    EXPECT_FALSE(control(InitSystem::systemd)->knows("web"));
}

TEST_F(ControlTest, systemds_words_are_boot_states)
{
    const std::map<std::string, BootState> words{{"enabled", BootState::enabled}, {"disabled", BootState::disabled},
                                                 {"masked", BootState::masked},   {"masked-runtime", BootState::masked},
                                                 {"static", BootState::always},   {"generated", BootState::always},
                                                 {"linked", BootState::disabled}, {"Failed to get unit file state", BootState::unknown}};
    for (const auto& [word, state] : words) {
        answer_ = ended(word == "enabled" ? 0 : 1, word + "\n");
        EXPECT_EQ(control(InitSystem::systemd)->boot_state("web").value(), state) << word;
    }
}

TEST_F(ControlTest, what_runs_is_told_by_words)
{
    answer_ = ended(3, "activating\n");
    EXPECT_TRUE(control(InitSystem::systemd)->runs("web").value());
    answer_ = ended(3, "failed\n");
    EXPECT_FALSE(control(InitSystem::systemd)->runs("web").value());
    answer_ = ended(0, "run: /etc/service/web: (pid 12) 3s\n");
    EXPECT_TRUE(control(InitSystem::runit)->runs("web").value());
    answer_ = ended(0, "down: /etc/service/web: 3s\n");
    EXPECT_FALSE(control(InitSystem::runit)->runs("web").value());
}

TEST_F(ControlTest, a_script_that_is_not_there_is_not_known_and_does_not_run)
{
    const std::string name = "steward-test-no-such-script";
    for (const InitSystem system : {InitSystem::sysv, InitSystem::openrc, InitSystem::runit}) {
        EXPECT_FALSE(control(system)->knows(name).value());
        EXPECT_EQ(control(system)->boot_state(name).value(), BootState::unknown);
    }
    EXPECT_FALSE(control(InitSystem::sysv)->runs(name).value());
    EXPECT_FALSE(control(InitSystem::openrc)->runs(name).value());
}

TEST_F(ControlTest, each_tool_enables_and_disables_in_its_own_words)
{
    EXPECT_TRUE(control(InitSystem::systemd)->enable("web"));
    EXPECT_TRUE(control(InitSystem::systemd)->disable("web"));
    EXPECT_TRUE(control(InitSystem::openrc)->enable("web"));
    EXPECT_TRUE(control(InitSystem::openrc)->disable("steward-test-no-such-script"));
    EXPECT_TRUE(control(InitSystem::sysv)->enable("web"));
    EXPECT_TRUE(control(InitSystem::sysv)->disable("web"));
    EXPECT_TRUE(control(InitSystem::sysv)->forget("web"));
    EXPECT_THAT(commands_, ElementsAre(ElementsAre("systemctl", "--no-pager", "--quiet", "enable", "web.service"),
                                       ElementsAre("systemctl", "--no-pager", "--quiet", "disable", "web.service"),
                                       ElementsAre("rc-update", "add", "web"), ElementsAre("update-rc.d", "web", "defaults"),
                                       ElementsAre("update-rc.d", "web", "enable"), ElementsAre("update-rc.d", "web", "defaults-disabled"),
                                       ElementsAre("update-rc.d", "web", "disable"), ElementsAre("update-rc.d", "web", "remove")));
    EXPECT_EQ(control(InitSystem::runit)->enable("steward-test-no-such-service").error().code, ErrorCode::unsupported);
    EXPECT_EQ(control(InitSystem::runit)->disable("steward-test-no-such-service").error().code, ErrorCode::unsupported);
}

// By its word systemctl answers, and with --quiet it says none.
TEST_F(ControlTest, systemd_is_asked_aloud)
{
    static_cast<void>(control(InitSystem::systemd)->knows("web"));
    static_cast<void>(control(InitSystem::systemd)->boot_state("web"));
    static_cast<void>(control(InitSystem::systemd)->runs("web"));
    EXPECT_THAT(commands_, testing::Each(testing::Not(testing::Contains("--quiet"))));
}

TEST_F(ControlTest, only_sysv_and_runit_do_themselves_what_starts_a_service_at_boot)
{
    for (const InitSystem system : {InitSystem::systemd, InitSystem::openrc}) {
        EXPECT_FALSE(control(system)->owns_links());
        EXPECT_TRUE(control(system)->forget("web"));
    }
    EXPECT_TRUE(control(InitSystem::runit)->owns_links());
    EXPECT_TRUE(control(InitSystem::runit)->forget("steward-test-no-such-service"));
    EXPECT_THAT(commands_, testing::IsEmpty());
}

}  // namespace
}  // namespace steward::init
