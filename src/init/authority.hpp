// Who starts and stops the services that the booted init system knows: verbs leave those to it, so that each has one restarter.
//
// What it says is what it says of itself; of steward's records it knows nothing. Calls block until the init system is done.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <steward/init_system.hpp>
#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "init/control.hpp"

namespace steward::init {

// What an init system says of a service.
struct Told {
    BootState boot = BootState::unknown;
    ServiceState state = ServiceState::stopped;
    std::string reason;         // on failed; may be empty
    std::int64_t main_pid = 0;  // 0: none, or not told
    std::int64_t last_pid = 0;  // the main process of the run that is going on, or else was the last; 0: none, or not told
    std::uint64_t restarts = 0;
    std::optional<std::chrono::system_clock::time_point> since;
    std::optional<ExitStatus> last_exit;
    bool can_reload = true;
    std::optional<std::chrono::system_clock::time_point> began;  // the last time that it left its rest: last_lines() are not older
};

// Whether a service runs some init systems tell only by running its script.
enum class Ask { everything, boot };

struct JobOptions {
    bool wait = true;                                               // systemd's jobs only; a script is waited for
    std::optional<std::chrono::steady_clock::time_point> deadline;  // likewise
};

class Authority {
  public:
    Authority() = default;
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;
    virtual ~Authority() = default;

    [[nodiscard]] virtual InitSystem system() const = 0;
    // Unset: it has no unit or script of this name, or that is what called this process to act on the service: to hand it back would
    // never end. With Ask::boot only Told::boot is asked for; more may be told.
    virtual Result<std::optional<Told>> look(const std::string& name, Ask what) = 0;
    // On failure Error::detail has what was said last. A start that misses its deadline is undone.
    virtual Result<void> start(const std::string& name, const JobOptions& options) = 0;
    virtual Result<void> stop(const std::string& name) = 0;
    virtual Result<void> restart(const std::string& name, const JobOptions& options) = 0;
    virtual Result<void> reload(const std::string& name) = 0;
    // To the main process. unsupported: it has no way to.
    virtual Result<void> signal(const std::string& name, int signal) = 0;
    // Of the output that the init system keeps.
    virtual std::vector<std::string> last_lines(const std::string& name, const Told& told, unsigned count) = 0;

    // Whether start() and restart() return when the service is up, or has failed; else as soon as it has been begun.
    [[nodiscard]] virtual bool waits_for_outcome() const { return true; }
    // Whether what a session starts would end with it, unless it takes itself out of there.
    [[nodiscard]] virtual bool ends_sessions() const { return false; }
    // Takes the calling process out of its session, with all that it will start as service `name`.
    virtual Result<void> take_from_session(const std::string& /*name*/, const std::string& /*description*/) { return {}; }
};

// Null: no init system that steward can ask is booted. Nothing is loaded, and nobody is asked, before the first call.
[[nodiscard]] std::unique_ptr<Authority> booted_authority(Scope scope);

[[nodiscard]] std::unique_ptr<Authority> make_systemd_authority(Scope scope);
[[nodiscard]] std::unique_ptr<Authority> make_tool_authority(InitSystem system, Scope scope);  // null: as make_control()

}  // namespace steward::init
