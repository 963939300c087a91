// OpenRC: rc-service and rc-update.
#include "init/tools.hpp"
#include "os/file.hpp"

namespace steward::init {

namespace {

constexpr const char* runlevels = "/etc/runlevels";

class OpenrcControl final : public Control {
  public:
    explicit OpenrcControl(RunTool run) : run_(std::move(run)) {}

    [[nodiscard]] InitSystem system() const override { return InitSystem::openrc; }

    Result<bool> knows(const std::string& name) const override { return is_script("/etc/init.d/" + name); }

    Result<BootState> boot_state(const std::string& name) const override
    {
        if (!is_script("/etc/init.d/" + name)) return BootState::unknown;
        const auto levels = os::list_directory(runlevels);
        if (!levels) return fail(levels.error());
        for (const std::string& level : *levels) {
            const auto link = os::info_at(std::string(runlevels) + "/" + level + "/" + name);
            if (link && *link) return BootState::enabled;
        }
        return BootState::disabled;
    }

    Result<bool> runs(const std::string& name) const override
    {
        if (!is_script("/etc/init.d/" + name)) return false;
        auto end = run_({"rc-service", name, "status"});
        if (!end) return fail(end.error());
        return end->succeeded();
    }

    Result<void> start(const std::string& name) const override { return act("start", name); }
    Result<void> stop(const std::string& name) const override { return act("stop", name); }
    Result<void> restart(const std::string& name) const override { return act("restart", name); }
    Result<void> reload(const std::string& name) const override { return act("reload", name); }

    // OpenRC sees new scripts by their times.
    Result<void> read_anew() const override { return {}; }
    Result<void> enable(const std::string& name) const override { return do_with(run_, {"rc-update", "add", name}, "enable", name); }
    // To OpenRC, removing a service from runlevels that it is not in is an error.
    Result<void> disable(const std::string& name) const override
    {
        const auto state = boot_state(name);
        if (!state) return fail(state.error());
        if (*state != BootState::enabled) return {};
        return do_with(run_, {"rc-update", "--all", "del", name}, "disable", name);
    }

  private:
    Result<void> act(const char* verb, const std::string& name) const { return do_with(run_, {"rc-service", name, verb}, verb, name); }

    RunTool run_;
};

}  // namespace

std::unique_ptr<Control> make_openrc_control(RunTool run)
{
    return std::make_unique<OpenrcControl>(std::move(run));
}

}  // namespace steward::init
