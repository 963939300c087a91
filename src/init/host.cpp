#include "init/host.hpp"

#include "os/environment.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::init {

namespace {

bool is_kind(const std::string& path, os::FileInfo::Kind kind, bool follow)
{
    const auto found = os::info_at(path, follow);
    return found && *found && (*found)->kind == kind;
}

bool is_directory(const std::string& path)
{
    return is_kind(path, os::FileInfo::Kind::directory, true);
}

// Links within an image may be absolute and lead out of it: that they are there says enough.
bool is_there(const std::string& path)
{
    const auto found = os::info_at(path);
    return found && *found;
}

// "init" is many a program's name, a container's among them: sysvinit goes by its table.
bool runs_by_inittab(const std::string& root)
{
    return is_there(root + "/etc/inittab") && is_directory(root + "/etc/init.d");
}

}  // namespace

std::optional<InitSystem> booted_init_system(const std::string& root, const std::string& first_process)
{
    if (is_directory(root + "/run/systemd/system")) return InitSystem::systemd;
    if (is_directory(root + "/run/openrc")) return InitSystem::openrc;
    if (first_process == "runit") return InitSystem::runit;
    if (first_process == "dinit") return InitSystem::dinit;
    if (first_process == "s6-svscan") return InitSystem::s6;
    const bool init_listens = is_kind(root + "/run/initctl", os::FileInfo::Kind::fifo, false);
    if ((first_process == "init" || (first_process.empty() && init_listens)) && runs_by_inittab(root)) return InitSystem::sysv;
    return std::nullopt;
}

std::optional<InitSystem> booted_init_system()
{
    const auto first = os::read_stat(1);
    return booted_init_system({}, first && *first ? (*first)->command : std::string());
}

bool users_systemd_runs()
{
    const auto runtime = os::environment_variable("XDG_RUNTIME_DIR");
    return is_there((runtime ? *runtime : "/run/user/" + std::to_string(os::effective_uid())) + "/systemd/private");
}

std::optional<InitSystem> init_system_of_image(const std::string& root)
{
    if (is_there(root + "/usr/lib/systemd/systemd") || is_there(root + "/lib/systemd/systemd")) return InitSystem::systemd;
    if (is_there(root + "/sbin/openrc-run") || is_there(root + "/usr/sbin/openrc-run")) return InitSystem::openrc;
    if (is_there(root + "/sbin/runit-init") || is_there(root + "/usr/sbin/runit-init")) return InitSystem::runit;
    if (is_there(root + "/sbin/init") && runs_by_inittab(root)) return InitSystem::sysv;
    return std::nullopt;
}

}  // namespace steward::init
