#include "init/systemd_told.hpp"

#include <csignal>

namespace steward::init {

namespace {

BootState boot_state_of(const SystemdUnit& unit)
{
    const std::string& word = unit.unit_file_state;
    if (unit.load_state == "masked" || word.starts_with("masked")) return BootState::masked;
    if (word == "enabled" || word == "enabled-runtime") return BootState::enabled;
    if (word == "disabled" || word.starts_with("linked") || word == "indirect") return BootState::disabled;
    if (word == "static" || word == "generated" || word == "transient" || word == "alias") return BootState::always;
    return BootState::unknown;
}

ServiceState state_of(const SystemdUnit& unit)
{
    const std::string& word = unit.active_state;
    if (word == "active") return ServiceState::running;
    if (word == "reloading") return ServiceState::reloading;
    if (word == "deactivating") return ServiceState::stopping;
    if (word == "failed") return ServiceState::failed;
    if (word == "activating") return unit.sub_state.starts_with("auto-restart") ? ServiceState::backing_off : ServiceState::starting;
    return ServiceState::stopped;
}

std::chrono::system_clock::time_point time_of(std::uint64_t microseconds)
{
    return std::chrono::system_clock::time_point(std::chrono::microseconds(microseconds));
}

std::optional<ExitStatus> exit_of(const SystemdUnit& unit)
{
    if (unit.exit_code == 0 || unit.exited == 0) return std::nullopt;
    return ExitStatus{.signalled = unit.exit_code != CLD_EXITED,
                      .code = unit.exit_status,
                      .known = true,
                      .core_dumped = unit.exit_code == CLD_DUMPED,
                      .at = time_of(unit.exited)};
}

}  // namespace

std::string result_text(const SystemdUnit& unit)
{
    std::string text = "systemd says '" + unit.result + "'";
    const auto exit = exit_of(unit);
    if (exit && (unit.result == "exit-code" || unit.result == "signal" || unit.result == "core-dump")) text += ": " + to_string(*exit);
    return text;
}

Told told_by(const SystemdUnit& unit)
{
    Told told{.boot = boot_state_of(unit),
              .state = state_of(unit),
              .reason = {},
              .main_pid = unit.main_pid,
              .last_pid = unit.last_pid,
              .restarts = unit.restarts,
              .since = {},
              .last_exit = exit_of(unit),
              .can_reload = unit.can_reload,
              .began = {}};
    if (unit.began != 0) told.began = time_of(unit.began);
    if (unit.state_changed != 0) told.since = time_of(unit.state_changed);
    if (told.state == ServiceState::failed) told.reason = result_text(unit);
    if (unit.load_state == "bad-setting" || unit.load_state == "error") told.reason = "systemd cannot load its unit";
    if (unit.needs_daemon_reload && told.reason.empty()) told.reason = "its unit was changed: systemctl daemon-reload";
    return told;
}

}  // namespace steward::init
