// SysV init: the script itself, and update-rc.d for the links.
#include <array>

#include "init/tools.hpp"

namespace steward::init {

namespace {

class SysvControl final : public Control {
  public:
    explicit SysvControl(RunTool run) : run_(std::move(run)) {}

    [[nodiscard]] InitSystem system() const override { return InitSystem::sysv; }

    Result<bool> knows(const std::string& name) const override { return is_script(script(name)); }

    Result<BootState> boot_state(const std::string& name) const override
    {
        if (!is_script(script(name))) return BootState::unknown;
        static constexpr std::array levels = {"S", "2", "3", "4", "5"};
        for (const char* level : levels) {
            if (has_numbered_link(std::string("/etc/rc") + level + ".d", 'S', name)) return BootState::enabled;
        }
        return BootState::disabled;
    }

    Result<bool> runs(const std::string& name) const override
    {
        if (!is_script(script(name))) return false;
        auto end = run_({script(name), "status"});
        if (!end) return fail(end.error());
        return end->succeeded();
    }

    Result<void> start(const std::string& name) const override { return act("start", name); }
    Result<void> stop(const std::string& name) const override { return act("stop", name); }
    Result<void> restart(const std::string& name) const override { return act("restart", name); }
    Result<void> reload(const std::string& name) const override { return act("reload", name); }

    Result<void> read_anew() const override { return {}; }
    [[nodiscard]] bool owns_links() const override { return !os::find_tool("update-rc.d").empty(); }
    // `defaults` makes links where there are none and never alters those that are there; `enable` turns K links into S links.
    Result<void> enable(const std::string& name) const override
    {
        auto made = do_with(run_, {"update-rc.d", name, "defaults"}, "enable", name);
        return made ? do_with(run_, {"update-rc.d", name, "enable"}, "enable", name) : made;
    }
    Result<void> disable(const std::string& name) const override
    {
        auto made = do_with(run_, {"update-rc.d", name, "defaults-disabled"}, "disable", name);
        return made ? do_with(run_, {"update-rc.d", name, "disable"}, "disable", name) : made;
    }
    Result<void> forget(const std::string& name) const override { return do_with(run_, {"update-rc.d", name, "remove"}, "remove", name); }

  private:
    static std::string script(const std::string& name) { return "/etc/init.d/" + name; }

    Result<void> act(const char* verb, const std::string& name) const { return do_with(run_, {script(name), verb}, verb, name); }

    RunTool run_;
};

}  // namespace

std::unique_ptr<Control> make_sysv_control(RunTool run)
{
    return std::make_unique<SysvControl>(std::move(run));
}

}  // namespace steward::init
