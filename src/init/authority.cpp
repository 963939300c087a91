#include "init/authority.hpp"

#include "init/host.hpp"

namespace steward::init {

std::unique_ptr<Authority> booted_authority(Scope scope)
{
    static const std::optional<InitSystem> system = booted_init_system();
    if (!system) return nullptr;
    if (*system != InitSystem::systemd) return make_tool_authority(*system, scope);
    return scope == Scope::system || users_systemd_runs() ? make_systemd_authority(scope) : nullptr;
}

}  // namespace steward::init
