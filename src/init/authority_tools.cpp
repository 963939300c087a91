// SysV init, OpenRC and runit as the authority: by their own tools.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "init/authority.hpp"
#include "os/command.hpp"
#include "os/environment.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::init {

namespace {

// Tells a steward that a script calls who called the script, and for what: "PID NAME".
constexpr const char* called_by = "STEWARD_CALLED_BY";

// sv's letters for signals.
constexpr std::array<std::pair<int, const char*>, 10> sv_signals{{{SIGHUP, "hup"},
                                                                  {SIGINT, "interrupt"},
                                                                  {SIGQUIT, "quit"},
                                                                  {SIGKILL, "kill"},
                                                                  {SIGUSR1, "1"},
                                                                  {SIGUSR2, "2"},
                                                                  {SIGALRM, "alarm"},
                                                                  {SIGTERM, "term"},
                                                                  {SIGCONT, "cont"},
                                                                  {SIGSTOP, "pause"}}};

// As long as a start with its hooks may take.
constexpr std::chrono::minutes turn_patience{2};
constexpr std::chrono::milliseconds turn_pause{100};

// Both are inherited by whatever a script starts: only what still runs below the caller was called by it.
bool script_of_this_name_calls(const std::string& name)
{
    const auto variable = os::environment_variable(called_by);
    const auto openrc = os::environment_variable("RC_SVCNAME");
    if (!variable && openrc != name) return false;
    return std::ranges::any_of(os::ancestors(), [&](const os::ProcessStat& process) {
        return (openrc == name && process.command.starts_with("openrc-run")) || variable == std::to_string(process.pid) + " " + name;
    });
}

class ToolAuthority final : public Authority {
  public:
    ToolAuthority(InitSystem system, Scope scope)
        : control_(make_control(system, scope, [this](const Argv& command) { return os::run_command_with({caller_}, command); }))
    {
    }

    [[nodiscard]] bool is_able() const { return control_ != nullptr; }
    [[nodiscard]] InitSystem system() const override { return control_->system(); }

    Result<std::optional<Told>> look(const std::string& name, Ask what) override
    {
        caller_ = std::string(called_by) + "=" + std::to_string(os::self_pid()) + " " + name;
        auto known = control_->knows(name);
        if (!known) return fail(known.error());
        if (!*known || script_of_this_name_calls(name)) return std::optional<Told>();
        Told told;
        if (auto boot = control_->boot_state(name)) told.boot = *boot;
        if (what == Ask::boot) return std::optional(std::move(told));
        auto runs = control_->runs(name);
        if (!runs) return fail(runs.error());
        if (!*runs) return std::optional(std::move(told));
        told.state = ServiceState::running;
        told.main_pid = control_->main_pid(name);
        return std::optional(std::move(told));
    }

    Result<void> start(const std::string& name, const JobOptions&) override
    {
        if (system() == InitSystem::openrc) forget_false_start(name);
        return in_turn(name, &Control::start, true);
    }
    Result<void> stop(const std::string& name) override { return in_turn(name, &Control::stop, false); }
    Result<void> restart(const std::string& name, const JobOptions&) override { return control_->restart(name); }
    Result<void> reload(const std::string& name) override { return control_->reload(name); }

    Result<void> signal(const std::string& name, int signal) override
    {
        const auto* const found = std::ranges::find(sv_signals, signal, &std::pair<int, const char*>::first);
        if (system() != InitSystem::runit || found == sv_signals.end()) {
            return fail(Error{.code = ErrorCode::unsupported,
                              .operation = "signal",
                              .object = name,
                              .cause = std::string(to_string(system())) + " started it, and has no way to send " + signal_name(signal)});
        }
        auto end = os::run_command({"sv", found->second, "/etc/service/" + name});
        if (!end) return fail(end.error());
        if (end->succeeded()) return {};
        return fail(Error{.operation = "signal", .object = name, .cause = "sv ended with " + to_string(end->exit)});
    }

    std::vector<std::string> last_lines(const std::string&, const Told&, unsigned) override { return {}; }
    // runsv says when it has begun.
    [[nodiscard]] bool waits_for_outcome() const override { return system() != InitSystem::runit; }

  private:
    // OpenRC refuses who comes while another is at it. That one is waited for, and may have done what is wanted.
    [[nodiscard]] Result<void> in_turn(const std::string& name, Result<void> (Control::*deed)(const std::string&) const, bool running) const
    {
        const auto deadline = std::chrono::steady_clock::now() + turn_patience;
        for (;;) {
            auto done = (control_.get()->*deed)(name);
            if (done || system() != InitSystem::openrc || std::chrono::steady_clock::now() >= deadline) return done;
            if (!is_changing(name)) {
                const auto runs = control_->runs(name);
                return runs && *runs == running ? Result<void>() : done;
            }
            std::this_thread::sleep_for(turn_pause);
        }
    }

    static bool is_changing(const std::string& name)
    {
        return std::ranges::any_of(std::array{"starting", "stopping"}, [&](const char* state) {
            const auto mark = os::info_at(std::string("/run/openrc/") + state + "/" + name);
            return mark && *mark;
        });
    }

    // OpenRC would find nothing to do for what it takes for started: what ended by itself, or was "started" by Debian's service(8).
    void forget_false_start(const std::string& name)
    {
        const auto mark = os::info_at("/run/openrc/started/" + name);
        const auto runs = control_->runs(name);
        if (mark && *mark && runs && !*runs) static_cast<void>(os::run_command({"rc-service", name, "zap"}));
    }

    std::string caller_;
    std::unique_ptr<Control> control_;
};

}  // namespace

std::unique_ptr<Authority> make_tool_authority(InitSystem system, Scope scope)
{
    auto made = std::make_unique<ToolAuthority>(system, scope);
    if (!made->is_able()) return nullptr;
    return made;
}

}  // namespace steward::init
