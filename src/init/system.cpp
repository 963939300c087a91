#include <steward/application.hpp>
#include <steward/init_system.hpp>
#include <steward/installation.hpp>

namespace steward {

std::string_view to_string(InitSystem system)
{
    switch (system) {
        case InitSystem::systemd: return "systemd";
        case InitSystem::sysv: return "sysv";
        case InitSystem::openrc: return "openrc";
        case InitSystem::runit: return "runit";
        case InitSystem::s6: return "s6";
        case InitSystem::dinit: return "dinit";
    }
    return "";
}

std::optional<InitSystem> parse_init_system(std::string_view name)
{
    for (const InitSystem system : init_systems) {
        if (to_string(system) == name) return system;
    }
    return std::nullopt;
}

std::string_view to_string(Expression how)
{
    switch (how) {
        case Expression::native: return "native";
        case Expression::carried: return "carried";
        case Expression::lost: return "lost";
    }
    return "";
}

std::optional<PackageFormat> parse_package_format(std::string_view name)
{
    if (name == "deb") return PackageFormat::deb;
    if (name == "rpm") return PackageFormat::rpm;
    return std::nullopt;
}

std::string_view to_string(FileChange::Kind kind)
{
    switch (kind) {
        case FileChange::Kind::unchanged: return "unchanged";
        case FileChange::Kind::created: return "created";
        case FileChange::Kind::updated: return "updated";
        case FileChange::Kind::removed: return "removed";
        case FileChange::Kind::kept: return "kept";
    }
    return "";
}

std::string_view to_string(Means means)
{
    switch (means) {
        case Means::live: return "live";
        case Means::signal: return "signal";
        case Means::restart: return "restart";
    }
    return "";
}

}  // namespace steward
