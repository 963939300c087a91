// systemd as the authority: by D-Bus, and its journal.
#include <algorithm>

#include "init/authority.hpp"
#include "init/journal.hpp"
#include "init/systemd_bus.hpp"
#include "init/systemd_told.hpp"
#include "init/tools.hpp"
#include "os/command.hpp"
#include "os/environment.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::init {

namespace {

std::string unit_of(const std::string& name)
{
    return name + ".service";
}

// "worker@.service" for worker@1.
std::string template_of(const std::string& name)
{
    const std::size_t at = name.find('@');
    return at == std::string::npos ? std::string() : name.substr(0, at + 1) + ".service";
}

std::vector<std::string> unit_directories(Scope scope)
{
    if (scope == Scope::system) {
        return {"/etc/systemd/system",     "/etc/systemd/system.control",  "/run/systemd/system",          "/run/systemd/transient",
                "/run/systemd/generator",  "/run/systemd/generator.early", "/run/systemd/generator.late",  "/usr/local/lib/systemd/system",
                "/usr/lib/systemd/system", "/lib/systemd/system",          "/etc/systemd/system.attached", "/run/systemd/system.attached"};
    }
    const auto variable = [](const char* name, const std::string& otherwise) {
        const auto value = os::environment_variable(name);
        return value && value->starts_with('/') ? *value : otherwise;
    };
    const std::string home = variable("HOME", "");
    const std::string runtime = variable("XDG_RUNTIME_DIR", "/run/user/" + std::to_string(os::effective_uid()));
    return {variable("XDG_CONFIG_HOME", home + "/.config") + "/systemd/user",
            variable("XDG_DATA_HOME", home + "/.local/share") + "/systemd/user",
            runtime + "/systemd/user",
            runtime + "/systemd/transient",
            runtime + "/systemd/generator",
            runtime + "/systemd/generator.late",
            "/etc/systemd/user",
            "/run/systemd/user",
            "/usr/local/lib/systemd/user",
            "/usr/local/share/systemd/user",
            "/usr/lib/systemd/user",
            "/usr/share/systemd/user"};
}

// This process is one of those by which systemd is just now carrying out a job of the unit.
bool is_called_by(const SystemdUnit& unit)
{
    const bool at_work = unit.active_state == "activating" || unit.active_state == "reloading" || unit.active_state == "deactivating";
    if (!at_work) return false;
    const auto is_it = [&](std::int64_t pid) { return pid != 0 && (pid == unit.control_pid || pid == unit.main_pid); };
    return is_it(os::self_pid()) || std::ranges::any_of(os::ancestors(), [&](const os::ProcessStat& stat) { return is_it(stat.pid); });
}

class SystemdAuthority final : public Authority {
  public:
    explicit SystemdAuthority(Scope scope) : scope_(scope) {}

    [[nodiscard]] InitSystem system() const override { return InitSystem::systemd; }

    // Most services that are not systemd's are told by their missing files: no library is loaded for them, and nobody asked.
    Result<std::optional<Told>> look(const std::string& name, Ask) override
    {
        if (!has_unit_file(name)) return std::optional<Told>();
        auto unit = ask(name);
        if (!unit) return fail(unit.error());
        if (unit->load_state == "not-found" || is_called_by(*unit)) return std::optional<Told>();
        return std::optional(told_by(*unit));
    }

    Result<void> start(const std::string& name, const JobOptions& options) override
    {
        return bring_up("start", "StartUnit", name, options);
    }
    Result<void> restart(const std::string& name, const JobOptions& options) override
    {
        return bring_up("restart", "RestartUnit", name, options);
    }
    Result<void> stop(const std::string& name) override { return act("stop", "StopUnit", name, std::nullopt); }
    Result<void> reload(const std::string& name) override { return act("reload", "ReloadUnit", name, std::nullopt); }

    Result<void> signal(const std::string& name, int signal) override
    {
        auto bus = connect();
        if (!bus) return fail(bus.error());
        auto sent = (*bus)->signal_main(unit_of(name), signal);
        if (sent) return {};
        Error error = sent.error();
        error.object = name;
        return fail(std::move(error));
    }

    // Not by the run's identity: the journal does not always learn it of a process that ends at once.
    std::vector<std::string> last_lines(const std::string& name, const Told& told, unsigned count) override
    {
        if (!told.began || count == 0) return {};
        return last_journal_lines({.name = name, .scope = scope_, .and_of_it = true}, count, told.began);
    }

    [[nodiscard]] bool ends_sessions() const override { return true; }
    Result<void> take_from_session(const std::string& name, const std::string& description) override
    {
        auto bus = connect();
        if (!bus) return fail(bus.error());
        // What a unit starts by a verb is to stay in that unit.
        if (has_unit_file(name)) {
            const auto unit = ask(name);
            if (unit && is_called_by(*unit)) return {};
        }
        std::string escaped;
        for (const char c : name) escaped += c == '@' ? std::string("\\x40") : std::string(1, c);
        return (*bus)->enter_scope({.name = "steward-" + escaped + ".scope",
                                    .description = description.empty() ? name + ", started by steward" : description,
                                    .pid = os::self_pid()});
    }

  private:
    Result<SystemdBus*> connect()
    {
        if (!bus_) {
            auto made = SystemdBus::connect(scope_);
            if (!made) return fail(made.error());
            bus_ = std::move(*made);
        }
        return &*bus_;
    }

    Result<SystemdUnit> ask(const std::string& name)
    {
        auto bus = connect();
        if (!bus) return fail(bus.error());
        return (*bus)->unit(unit_of(name));
    }

    [[nodiscard]] bool has_unit_file(const std::string& name) const
    {
        const std::string instance = template_of(name);
        return std::ranges::any_of(unit_directories(scope_), [&](const std::string& directory) {
            const auto is_there = [&](const std::string& file) {
                const auto found = os::info_at(directory + "/" + file);
                return found && *found;
            };
            return is_there(unit_of(name)) || (!instance.empty() && is_there(instance));
        });
    }

    Result<void> act(const char* verb, const char* method, const std::string& name, SystemdBus::Deadline deadline)
    {
        auto bus = connect();
        if (!bus) return fail(bus.error());
        return finish(verb, name, (*bus)->job(method, unit_of(name), deadline));
    }

    Result<void> bring_up(const char* verb, const char* method, const std::string& name, const JobOptions& options)
    {
        if (!options.wait) {
            auto bus = connect();
            if (!bus) return fail(bus.error());
            auto queued = (*bus)->queue(method, unit_of(name));
            return queued ? Result<void>() : finish(verb, name, fail(queued.error()));
        }
        auto done = act(verb, method, name, options.deadline);
        if (!done && done.error().code == ErrorCode::timed_out) static_cast<void>(stop(name));
        return done;
    }

    // A job that did not do what it was for: why, and the last that the service said.
    Result<void> finish(const char* verb, const std::string& name, Result<std::string> ended)
    {
        if (ended && *ended == "done") return {};
        Error error;
        if (!ended) {
            error = ended.error();
            error.operation = verb;
            error.object = name;
            if (error.cause.ends_with("is masked.")) error.next_step = "systemctl unmask " + unit_of(name);
            return fail(std::move(error));
        }
        error = Error{.operation = verb, .object = name, .cause = "systemd's job ended as '" + *ended + "'"};
        if (auto unit = ask(name)) {
            if (unit->result != "success" && !unit->result.empty()) error.cause = result_text(*unit);
            if (unit->result == "start-limit-hit") error.next_step = "systemctl reset-failed " + unit_of(name);
            // What was written a moment ago may not have come to the journal's files.
            if (os::effective_uid() == 0) static_cast<void>(os::run_command({"journalctl", "--sync"}));
            error.detail = last_lines(name, told_by(*unit), 10);
        }
        return fail(std::move(error));
    }

    Scope scope_;
    std::optional<SystemdBus> bus_;
};

}  // namespace

std::unique_ptr<Authority> make_systemd_authority(Scope scope)
{
    return std::make_unique<SystemdAuthority>(scope);
}

}  // namespace steward::init
