#include "init/systemd_told.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <map>

namespace steward::init {
namespace {

SystemdUnit a_unit(std::string active, std::string sub = {})
{
    SystemdUnit unit;
    unit.load_state = "loaded";
    unit.active_state = std::move(active);
    unit.sub_state = std::move(sub);
    unit.unit_file_state = "enabled";
    unit.result = "success";
    return unit;
}

TEST(SystemdTold, its_states_are_stewards)
{
    EXPECT_EQ(told_by(a_unit("active", "running")).state, ServiceState::running);
    EXPECT_EQ(told_by(a_unit("active", "exited")).state, ServiceState::running);
    EXPECT_EQ(told_by(a_unit("reloading")).state, ServiceState::reloading);
    EXPECT_EQ(told_by(a_unit("activating", "start")).state, ServiceState::starting);
    EXPECT_EQ(told_by(a_unit("activating", "auto-restart")).state, ServiceState::backing_off);
    EXPECT_EQ(told_by(a_unit("deactivating")).state, ServiceState::stopping);
    EXPECT_EQ(told_by(a_unit("failed")).state, ServiceState::failed);
    EXPECT_EQ(told_by(a_unit("inactive", "dead")).state, ServiceState::stopped);
}

TEST(SystemdTold, its_words_of_unit_files_are_boot_states)
{
    const std::map<std::string, BootState> words{{"enabled", BootState::enabled},
                                                 {"enabled-runtime", BootState::enabled},
                                                 {"disabled", BootState::disabled},
                                                 {"linked", BootState::disabled},
                                                 {"indirect", BootState::disabled},
                                                 {"masked", BootState::masked},
                                                 {"masked-runtime", BootState::masked},
                                                 {"static", BootState::always},
                                                 {"generated", BootState::always},
                                                 {"alias", BootState::always},
                                                 {"transient", BootState::always},
                                                 {"bad", BootState::unknown},
                                                 {"", BootState::unknown}};
    for (const auto& [word, boot] : words) {
        auto unit = a_unit("inactive");
        unit.unit_file_state = word;
        EXPECT_EQ(told_by(unit).boot, boot) << word;
    }
    auto masked = a_unit("inactive");
    masked.load_state = "masked";
    masked.unit_file_state.clear();
    EXPECT_EQ(told_by(masked).boot, BootState::masked);
}

TEST(SystemdTold, a_failure_has_its_result_and_its_exit)
{
    auto unit = a_unit("failed");
    unit.result = "exit-code";
    unit.exit_code = CLD_EXITED;
    unit.exit_status = 7;
    unit.exited = 1'700'000'000'000'000;
    EXPECT_EQ(told_by(unit).reason, "systemd says 'exit-code': exit code 7");
    ASSERT_TRUE(told_by(unit).last_exit);
    EXPECT_EQ(told_by(unit).last_exit->code, 7);

    unit.result = "core-dump";
    unit.exit_code = CLD_DUMPED;
    unit.exit_status = SIGSEGV;
    EXPECT_TRUE(told_by(unit).last_exit->signalled);
    EXPECT_TRUE(told_by(unit).last_exit->core_dumped);
    EXPECT_EQ(told_by(unit).reason.find("systemd says 'core-dump': signal 11"), 0U);

    unit.result = "start-limit-hit";
    EXPECT_EQ(told_by(unit).reason, "systemd says 'start-limit-hit'");
}

TEST(SystemdTold, a_unit_that_systemd_cannot_use_or_has_not_read_anew_is_told)
{
    auto unit = a_unit("inactive");
    unit.load_state = "bad-setting";
    EXPECT_EQ(told_by(unit).reason, "systemd cannot load its unit");
    unit = a_unit("active");
    unit.needs_daemon_reload = true;
    EXPECT_EQ(told_by(unit).reason, "its unit was changed: systemctl daemon-reload");
}

TEST(SystemdTold, what_never_ran_has_no_exit_and_no_time)
{
    const Told told = told_by(a_unit("inactive"));
    EXPECT_FALSE(told.last_exit);
    EXPECT_FALSE(told.since);
}

}  // namespace
}  // namespace steward::init
