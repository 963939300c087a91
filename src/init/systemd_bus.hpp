// The booted systemd, over D-Bus: what it knows of a unit, and its jobs, waited for.
//
// root speaks to systemd itself, so it works without a dbus-daemon; others go through theirs. Calls block. Nothing here knows of services.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <steward/manager.hpp>
#include <steward/result.hpp>

namespace steward::init {

// A unit's properties, by systemd's names.
struct SystemdUnit {
    std::string load_state;       // LoadState: "loaded", "not-found", "masked", "bad-setting", "error"
    std::string active_state;     // "active", "activating", "reloading", "deactivating", "inactive", "failed"
    std::string sub_state;        // "running", "auto-restart", "exited"
    std::string unit_file_state;  // "enabled", "disabled", "static", "masked"; empty where no file is
    std::string result;           // "success", "exit-code", "signal", "timeout"
    std::int64_t main_pid = 0;
    std::int64_t control_pid = 0;  // of ExecReload= and its like, and of ExecStart= with Type=forking
    std::int64_t last_pid = 0;     // ExecMainPID: the main process that runs, or ran last
    std::uint64_t restarts = 0;
    int exit_code = 0;                // ExecMainCode: 0 none yet, else as in waitid(2)'s si_code
    int exit_status = 0;              // ExecMainStatus
    std::uint64_t state_changed = 0;  // microseconds of the wall clock; 0: never
    std::uint64_t began = 0;          // the same: the last time that it left its rest
    std::uint64_t exited = 0;         // the same
    bool can_reload = false;
    bool needs_daemon_reload = false;
};

struct SystemdScope {
    std::string name;  // "steward-web.scope"
    std::string description;
    std::int32_t pid = 0;  // what goes into it
};

class SystemdBus {
  public:
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;

    // unsupported: no libsystemd. not_permitted, failed: nobody answers.
    static Result<SystemdBus> connect(Scope scope);
    ~SystemdBus();
    SystemdBus(SystemdBus&&) noexcept;
    SystemdBus& operator=(SystemdBus&&) noexcept;

    // Of a service unit, loaded for this if it was not. One that does not exist has LoadState not-found.
    Result<SystemdUnit> unit(const std::string& name);
    // Queues a job by StartUnit, StopUnit, … in mode "replace" and waits until it is over. Its result: "done", "failed", "timeout",
    // "canceled", "dependency", "skipped". timed_out when the deadline passes first; the job goes on.
    Result<std::string> job(const char* method, const std::string& unit, Deadline deadline);
    // Queues it and returns.
    Result<void> queue(const char* method, const std::string& unit);
    // To the main process of the unit.
    Result<void> signal_main(const std::string& unit, int signal);
    // A delegated transient scope with the process in it. One of this name that is there gets the process too; it goes when it is empty.
    Result<void> enter_scope(const SystemdScope& scope);

  private:
    class Impl;
    explicit SystemdBus(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace steward::init
