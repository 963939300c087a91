// runit: sv, and the links of the directory that runsvdir watches.
#include "init/tools.hpp"
#include "os/file.hpp"

namespace steward::init {

namespace {

class RunitControl final : public Control {
  public:
    explicit RunitControl(RunTool run) : run_(std::move(run)) {}

    [[nodiscard]] InitSystem system() const override { return InitSystem::runit; }

    // What is not linked has no runsv: then nobody but steward could start it.
    Result<bool> knows(const std::string& name) const override
    {
        const auto found = os::info_at("/etc/service/" + name, true);
        if (!found) return fail(found.error());
        return found->has_value();
    }

    Result<BootState> boot_state(const std::string& name) const override
    {
        auto known = knows(name);
        if (!known) return fail(known.error());
        return *known ? BootState::enabled : BootState::unknown;
    }

    Result<bool> runs(const std::string& name) const override
    {
        auto end = run_({"sv", "status", service(name)});
        if (!end) return fail(end.error());
        return end->output.starts_with("run:");
    }

    // -w is for a slow stop; sv tells by its exit code what became of it.
    Result<void> start(const std::string& name) const override { return act("start", name); }
    Result<void> stop(const std::string& name) const override { return act("stop", name); }
    Result<void> restart(const std::string& name) const override { return act("restart", name); }
    Result<void> reload(const std::string& name) const override { return act("reload", name); }

    Result<void> read_anew() const override { return {}; }
    // To be enabled is to be linked, and the link is for whoever installs.
    Result<void> enable(const std::string& name) const override { return fail(no_tool("enable", name)); }
    Result<void> disable(const std::string& name) const override { return fail(no_tool("disable", name)); }

  private:
    static Error no_tool(const char* operation, const std::string& name)
    {
        return Error{.code = ErrorCode::unsupported,
                     .operation = operation,
                     .object = name,
                     .cause = "runit has no tool for it, and steward did not install the service",
                     .next_step = "a link in /etc/service"};
    }
    static std::string service(const std::string& name) { return "/etc/service/" + name; }

    Result<void> act(const char* verb, const std::string& name) const
    {
        return do_with(run_, {"sv", "-w", "30", verb, service(name)}, verb, name);
    }

    RunTool run_;
};

}  // namespace

std::unique_ptr<Control> make_runit_control(RunTool run)
{
    return std::make_unique<RunitControl>(std::move(run));
}

}  // namespace steward::init
