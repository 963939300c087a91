// SysV init: the script itself, and update-rc.d for the links.
#include <array>

#include "init/tools.hpp"

namespace steward::init {

namespace {

// LSB 5.0: an init script's exit codes for actions other than status.
ErrorCode meaning_of_script(int exit_code)
{
    switch (exit_code) {
        case 2: return ErrorCode::invalid_argument;
        case 3: return ErrorCode::unsupported;
        case 4: return ErrorCode::not_permitted;
        case 5: return ErrorCode::program_missing;
        case 6: return ErrorCode::invalid_service_file;
        case 7: return ErrorCode::not_running;
        default: return ErrorCode::failed;
    }
}

class SysvControl final : public ScriptControl {
  public:
    using ScriptControl::ScriptControl;

    [[nodiscard]] InitSystem system() const override { return InitSystem::sysv; }

    Result<BootState> boot_state(const std::string& name) const override
    {
        if (!is_script(script(name))) return BootState::unknown;
        static constexpr std::array levels = {"S", "2", "3", "4", "5"};
        for (const char* level : levels) {
            if (has_numbered_link(std::string("/etc/rc") + level + ".d", 'S', name)) return BootState::enabled;
        }
        return BootState::disabled;
    }

    [[nodiscard]] bool owns_links() const override { return !os::find_tool("update-rc.d").empty(); }
    // `defaults` makes links where there are none and never alters those that are there; `enable` turns K links into S links.
    Result<void> enable(const std::string& name) const override
    {
        auto made = order({"update-rc.d", name, "defaults"}, "enable", name);
        return made ? order({"update-rc.d", name, "enable"}, "enable", name) : made;
    }
    Result<void> disable(const std::string& name) const override
    {
        auto made = order({"update-rc.d", name, "defaults-disabled"}, "disable", name);
        return made ? order({"update-rc.d", name, "disable"}, "disable", name) : made;
    }
    Result<void> forget(const std::string& name) const override { return order({"update-rc.d", name, "remove"}, "remove", name); }

  private:
    [[nodiscard]] Argv command(const char* verb, const std::string& name) const override { return {script(name), verb}; }
    [[nodiscard]] Meaning meaning() const override { return &meaning_of_script; }
};

}  // namespace

std::unique_ptr<Control> make_sysv_control(RunTool run)
{
    return std::make_unique<SysvControl>(std::move(run));
}

}  // namespace steward::init
