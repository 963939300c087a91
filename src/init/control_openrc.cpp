// OpenRC: rc-service and rc-update.
#include "init/tools.hpp"
#include "os/file.hpp"

namespace steward::init {

namespace {

constexpr const char* runlevels = "/etc/runlevels";

class OpenrcControl final : public ScriptControl {
  public:
    using ScriptControl::ScriptControl;

    [[nodiscard]] InitSystem system() const override { return InitSystem::openrc; }

    Result<BootState> boot_state(const std::string& name) const override
    {
        if (!is_script(script(name))) return BootState::unknown;
        const auto levels = os::list_directory(runlevels);
        if (!levels) return fail(levels.error());
        for (const std::string& level : *levels) {
            const auto link = os::info_at(std::string(runlevels) + "/" + level + "/" + name);
            if (link && *link) return BootState::enabled;
        }
        return BootState::disabled;
    }

    Result<void> enable(const std::string& name) const override { return order({"rc-update", "add", name}, "enable", name); }
    // To OpenRC, removing a service from runlevels that it is not in is an error.
    Result<void> disable(const std::string& name) const override
    {
        const auto state = boot_state(name);
        if (!state) return fail(state.error());
        if (*state != BootState::enabled) return {};
        return order({"rc-update", "--all", "del", name}, "disable", name);
    }

  private:
    [[nodiscard]] Argv command(const char* verb, const std::string& name) const override { return {"rc-service", name, verb}; }
};

}  // namespace

std::unique_ptr<Control> make_openrc_control(RunTool run)
{
    return std::make_unique<OpenrcControl>(std::move(run));
}

}  // namespace steward::init
