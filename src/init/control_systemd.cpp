// systemd, by systemctl.
#include "init/tools.hpp"

namespace steward::init {

namespace {

class SystemdControl final : public Control {
  public:
    SystemdControl(Scope scope, RunTool run) : scope_(scope), run_(std::move(run)) {}

    [[nodiscard]] InitSystem system() const override { return InitSystem::systemd; }

    Result<bool> knows(const std::string& name) const override
    {
        auto end = run_(systemctl({"show", "--property=LoadState", "--value", unit(name)}));
        if (!end) return fail(end.error());
        if (!end->succeeded()) return fail(unanswered(name, *end));
        return first_line(end->output) != "not-found";
    }

    // is-enabled tells by its word; its exit code says only whether the word is a good one.
    Result<BootState> boot_state(const std::string& name) const override
    {
        auto end = run_(systemctl({"is-enabled", unit(name)}));
        if (!end) return fail(end.error());
        const std::string word = first_line(end->output);
        if (word == "enabled" || word == "enabled-runtime") return BootState::enabled;
        if (word == "disabled" || word == "linked" || word == "linked-runtime" || word == "indirect") return BootState::disabled;
        if (word == "masked" || word == "masked-runtime") return BootState::masked;
        if (word == "static" || word == "generated" || word == "transient" || word == "alias") return BootState::always;
        return BootState::unknown;
    }

    Result<bool> runs(const std::string& name) const override
    {
        auto end = run_(systemctl({"is-active", unit(name)}));
        if (!end) return fail(end.error());
        const std::string word = first_line(end->output);
        return word == "active" || word == "activating" || word == "reloading" || word == "deactivating";
    }

    Result<void> start(const std::string& name) const override { return act("start", name); }
    Result<void> stop(const std::string& name) const override { return act("stop", name); }
    Result<void> restart(const std::string& name) const override { return act("restart", name); }
    Result<void> reload(const std::string& name) const override { return act("reload", name); }
    Result<void> enable(const std::string& name) const override { return act("enable", name); }
    Result<void> disable(const std::string& name) const override { return act("disable", name); }
    Result<void> read_anew() const override { return do_with(run_, systemctl({"--quiet", "daemon-reload"}), "reload", "systemd"); }

  private:
    static std::string unit(const std::string& name) { return name + ".service"; }

    // With --quiet it would not answer what it is asked.
    [[nodiscard]] Argv systemctl(std::initializer_list<std::string> words) const
    {
        Argv command{"systemctl"};
        if (scope_ == Scope::user) command.emplace_back("--user");
        command.emplace_back("--no-pager");
        command.insert(command.end(), words);
        return command;
    }

    Result<void> act(const char* verb, const std::string& name) const
    {
        return do_with(run_, systemctl({"--quiet", verb, unit(name)}), verb, name);
    }

    static Error unanswered(const std::string& name, const os::CommandEnd& end)
    {
        return Error{.code = ErrorCode::failed,
                     .operation = "ask systemd about",
                     .object = name,
                     .cause = "systemctl ended with " + to_string(end.exit),
                     .next_step = {},
                     .os_errno = 0,
                     .detail = lines_of(end.output)};
    }

    Scope scope_;
    RunTool run_;
};

}  // namespace

std::unique_ptr<Control> make_systemd_control(Scope scope, RunTool run)
{
    return std::make_unique<SystemdControl>(scope, std::move(run));
}

}  // namespace steward::init
