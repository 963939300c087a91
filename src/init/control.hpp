// An init system of this host, asked to act: what a verb needs of it, through the init system's own tools. One file an init system
// (control_systemd.cpp and its like), so that another way to ask (D-Bus) has one place to go to.
//
// It says what the init system says and does what the init system does; of steward's records and files it knows nothing. Installing uses it
// to have units read anew, for links that only the init system's own tool can number, and for --now; a verb
// that delegates uses knows() to decide and the rest to act. Calls block until the init system is done.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <steward/init_system.hpp>
#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "os/command.hpp"

namespace steward::init {

enum class BootState {
    unknown,   // the init system does not know the service
    disabled,  // starts when it is asked to
    enabled,   // starts at boot
    masked,    // cannot be started (systemd)
    always,    // nothing to enable: static, generated, an alias (systemd)
};

class Control {
  public:
    Control() = default;
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    virtual ~Control() = default;

    [[nodiscard]] virtual InitSystem system() const = 0;

    // Whether it has a unit or script of this name, whoever made it: then it, and nobody else, starts and stops the service.
    virtual Result<bool> knows(const std::string& name) const = 0;
    virtual Result<BootState> boot_state(const std::string& name) const = 0;
    virtual Result<bool> runs(const std::string& name) const = 0;
    // The process that it started for the service; 0: none, or it does not tell.
    [[nodiscard]] virtual std::int64_t main_pid(const std::string&) const { return 0; }

    // On failure Error::detail has what the tool said. unsupported: it has no way to (reload).
    virtual Result<void> start(const std::string& name) const = 0;
    virtual Result<void> stop(const std::string& name) const = 0;
    virtual Result<void> restart(const std::string& name) const = 0;
    virtual Result<void> reload(const std::string& name) const = 0;

    // Units and scripts were written or removed.
    virtual Result<void> read_anew() const = 0;

    // At boot, no more. What is enabled or disabled already stays as it is.
    virtual Result<void> enable(const std::string& name) const = 0;
    virtual Result<void> disable(const std::string& name) const = 0;
    // Whether it has to be asked when a service is installed, too. Where links are numbered by the dependencies of all services (SysV init),
    // only its own tool can write them; where services are taken up by themselves (runit), it has to be waited for. Elsewhere whoever installs
    // writes the links. forget() is for a service whose script or directory is gone: what the init system still has of it goes.
    [[nodiscard]] virtual bool owns_links() const { return false; }
    virtual Result<void> forget(const std::string&) const { return {}; }
};

// How a tool is run; os::run_command but in tests.
using RunTool = std::function<Result<os::CommandEnd>(const Argv&)>;

// Null: steward only writes files for this init system (s6, dinit), or it has no such scope.
[[nodiscard]] std::unique_ptr<Control> make_control(InitSystem system, Scope scope, RunTool run = os::run_command);

}  // namespace steward::init
