#include "manager/install_for.hpp"

#include <steward/package_policy.hpp>

#include <array>

#include "init/host.hpp"
#include "os/error.hpp"
#include "os/file.hpp"
#include "os/own_program.hpp"
#include "os/process.hpp"
#include "os/trust.hpp"

namespace steward::manager {

namespace {

Error unable(const std::string& name, ErrorCode code, std::string cause, std::string next_step)
{
    return Error{.code = code, .operation = "install", .object = name, .cause = std::move(cause), .next_step = std::move(next_step)};
}

// A package is installed into images, too: what it brings is for the init system that they will boot.
std::optional<InitSystem> system_of_host(const Site& site)
{
    if (site.booted || !in_maintainer_script()) return site.booted;
    return init::init_system_of_image({});
}

}  // namespace

Result<std::optional<InitSystem>> system_to_install_for(const Site& site, const std::string& name, const InstallOptions& options)
{
    using Choice = std::optional<InitSystem>;
    if (options.without_init) return Choice();
    if (!options.init) {
        const Choice found = site.root.empty() ? system_of_host(site) : init::init_system_of_image(site.root);
        const bool writes = found && *found != InitSystem::s6 && *found != InitSystem::dinit;
        const bool serves = site.paths.scope == Scope::system || found == InitSystem::systemd;
        return writes && serves ? found : Choice();
    }
    if (*options.init == InitSystem::s6 || *options.init == InitSystem::dinit) {
        const std::string system(to_string(*options.init));
        return fail(unable(name, ErrorCode::unsupported, "steward makes files for " + system + ", and does not install them",
                           "steward generate --init " + system + " --destdir DIR " + name));
    }
    if (options.now && site.booted != options.init)
        return fail(unable(name, ErrorCode::unsupported, std::string(to_string(*options.init)) + " does not run here", "without --now"));
    return options.init;
}

Result<std::string> steward_to_call(const Site& site, const std::string& name)
{
    static constexpr std::array usual = {"/usr/bin/steward", "/usr/sbin/steward", "/usr/local/bin/steward", "/usr/local/sbin/steward"};
    const std::string own = site.root.empty() ? os::own_program().value_or("") : std::string();
    if (own.empty()) {
        for (const char* path : usual) {
            const auto found = os::info_at(site.root + path);
            if (found && *found) return std::string(path);
        }
        return std::string(usual.front());
    }
    const auto directory = os::open_following(os::parent_of(own), {.directory = true, .path_only = true});
    if (!directory) return fail(directory.error());
    auto distrusted = os::distrust(*directory, {.owner = os::effective_uid(), .groups = {}});
    if (!distrusted) return fail(distrusted.error());
    if (*distrusted) {
        return fail(unable(name, ErrorCode::failed,
                           "others could replace " + os::quoted(own) + ", which it would be run by: " + **distrusted,
                           "a steward in /usr/bin or /usr/local/bin"));
    }
    return own;
}

}  // namespace steward::manager
