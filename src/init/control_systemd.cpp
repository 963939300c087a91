// systemd, by systemctl.
#include "init/tools.hpp"

namespace steward::init {

namespace {

class SystemdControl final : public ToolControl {
  public:
    SystemdControl(Scope scope, RunTool run) : ToolControl(std::move(run)), scope_(scope) {}

    [[nodiscard]] InitSystem system() const override { return InitSystem::systemd; }

    Result<bool> knows(const std::string& name) const override
    {
        auto end = ask(systemctl({"show", "--property=LoadState", "--value", unit(name)}));
        if (!end) return fail(end.error());
        if (!end->succeeded()) return fail(unanswered(name, *end));
        return first_line(end->output) != "not-found";
    }

    // is-enabled tells by its word; its exit code says only whether the word is a good one.
    Result<BootState> boot_state(const std::string& name) const override
    {
        auto end = ask(systemctl({"is-enabled", unit(name)}));
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
        auto end = ask(systemctl({"is-active", unit(name)}));
        if (!end) return fail(end.error());
        const std::string word = first_line(end->output);
        return word == "active" || word == "activating" || word == "reloading" || word == "deactivating";
    }

    Result<void> enable(const std::string& name) const override { return act("enable", name); }
    Result<void> disable(const std::string& name) const override { return act("disable", name); }
    Result<void> read_anew() const override { return order(systemctl({"--quiet", "daemon-reload"}), "reload", "systemd"); }

  private:
    static std::string unit(const std::string& name) { return name + ".service"; }

    // With --quiet it would not answer what it is asked.
    [[nodiscard]] Argv systemctl(std::initializer_list<std::string> words) const
    {
        Argv line{"systemctl"};
        if (scope_ == Scope::user) line.emplace_back("--user");
        line.emplace_back("--no-pager");
        line.insert(line.end(), words);
        return line;
    }

    [[nodiscard]] Argv command(const char* verb, const std::string& name) const override
    {
        return systemctl({"--quiet", verb, unit(name)});
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
};

}  // namespace

std::unique_ptr<Control> make_systemd_control(Scope scope, RunTool run)
{
    return std::make_unique<SystemdControl>(scope, std::move(run));
}

}  // namespace steward::init
