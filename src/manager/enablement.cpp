#include "manager/enablement.hpp"

#include <algorithm>

#include "os/file.hpp"

namespace steward::manager {

namespace {

constexpr const char* system_units = "/usr/local/lib/systemd/system";
constexpr const char* runlevels = "/etc/runlevels";
constexpr const char* fallback_units = "/etc/systemd/system";
constexpr std::size_t largest = 4096;
constexpr std::string_view yes = "yes\n";
constexpr std::string_view no = "no\n";

// After everything that Debian's own scripts number, and before everything at the end: what must come before a service at shutdown is what
// uses it, and steward knows of none.
constexpr const char* start_number = "S20";
constexpr const char* stop_number = "K01";

bool is_numbered(const std::string& link, const std::string& name)
{
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return link.size() == name.size() + 3 && (link[0] == 'S' || link[0] == 'K') && is_digit(link[1]) && is_digit(link[2]) &&
           link.ends_with(name);
}

// What is no unit's name, or has a specifier in it, is left out, as systemctl leaves out what it cannot make.
std::vector<std::string> unit_names(std::string_view value)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
    std::vector<std::string> names;
    while (!value.empty()) {
        const std::size_t end = std::min(value.find_first_of(" \t"), value.size());
        const std::string_view name = value.substr(0, end);
        value.remove_prefix(std::min(end + 1, value.size()));
        const bool is_name = name.find('.') != std::string_view::npos && name.find_first_not_of(allowed) == std::string_view::npos;
        if (is_name && name.front() != '.') names.emplace_back(name);
    }
    return names;
}

std::string link_directory(const Paths& paths)
{
    return paths.scope == Scope::user ? paths.user_unit_links : std::string(fallback_units);
}

Result<void> add_link(const os::Tree& tree, const std::string& path, std::vector<Link>& links)
{
    auto found = tree.look(path, largest);
    if (!found) return fail(found.error());
    if (*found && (*found)->info.kind == os::FileInfo::Kind::symlink) links.push_back({path, (*found)->text});
    return {};
}

Result<std::vector<Link>> numbered_links(const os::Tree& tree, const std::string& name)
{
    std::vector<Link> links;
    for (const char level : {'0', '1', '2', '3', '4', '5', '6', 'S'}) {
        const std::string directory = std::string("/etc/rc") + level + ".d";
        auto names = tree.list(directory);
        if (!names) return fail(names.error());
        for (const std::string& link : *names) {
            if (!is_numbered(link, name)) continue;
            if (auto added = add_link(tree, directory + "/" + link, links); !added) return fail(added.error());
        }
    }
    return links;
}

Result<std::vector<Link>> runlevel_links(const os::Tree& tree, const std::string& name)
{
    std::vector<Link> links;
    auto levels = tree.list(runlevels);
    if (!levels) return fail(levels.error());
    for (const std::string& level : *levels) {
        if (auto added = add_link(tree, std::string(runlevels) + "/" + level + "/" + name, links); !added) return fail(added.error());
    }
    return links;
}

// Below those who want it, and under other names.
Result<std::vector<Link>> links_of_unit(const os::Tree& tree, const std::string& directory, const std::string& unit)
{
    std::vector<Link> links;
    auto names = tree.list(directory);
    if (!names) return fail(names.error());
    for (const std::string& name : *names) {
        const std::string path = directory + "/" + name;
        if (name.ends_with(".wants") || name.ends_with(".requires") || name.ends_with(".upholds")) {
            if (auto added = add_link(tree, path + "/" + unit, links); !added) return fail(added.error());
            continue;
        }
        // A file, which may be too large to be looked at, is no alias.
        const auto found = tree.look(path, largest);
        if (!found || !*found || (*found)->info.kind != os::FileInfo::Kind::symlink) continue;
        if (name != unit && os::base_of((*found)->text) == unit) links.push_back({path, (*found)->text});
    }
    return links;
}

}  // namespace

std::string unit_directory(const os::Tree& tree, const Paths& paths)
{
    if (paths.scope == Scope::user) return paths.user_units;
    return tree.can_write_in(system_units) ? system_units : fallback_units;
}

// runsv keeps its FIFOs below the service's directory, which is not the place for what lives as long as a process.
std::vector<Link> standing_links(InitSystem system, const std::string& name)
{
    if (system != InitSystem::runit) return {};
    const std::string directory = "/etc/sv/" + name;
    // What is linked runit knows, whether it starts it at boot or not; last, because it looks at once.
    return {{directory + "/supervise", "/run/sv." + name},
            {directory + "/log/supervise", "/run/sv-log." + name},
            {"/etc/service/" + name, directory}};
}

std::string runit_down_path(const std::string& name)
{
    return "/etc/sv/" + name + "/down";
}

std::vector<Link> unit_links(const Paths& paths, const std::string& unit, std::string_view text)
{
    const std::string directory = link_directory(paths);
    const std::string base = os::base_of(unit);
    std::vector<Link> links;
    bool in_install = false;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.starts_with('[')) in_install = line.starts_with("[Install]");
        const std::size_t equals = line.find('=');
        if (!in_install || equals == std::string_view::npos || line.starts_with('#')) continue;
        std::string_view key = line.substr(0, equals);
        key = key.substr(0, key.find_last_not_of(" \t") + 1);
        for (const std::string& name : unit_names(line.substr(equals + 1))) {
            if (key == "WantedBy") links.push_back({directory + "/" + name + ".wants/" + base, unit});
            if (key == "RequiredBy") links.push_back({directory + "/" + name + ".requires/" + base, unit});
            if (key == "UpheldBy") links.push_back({directory + "/" + name + ".upholds/" + base, unit});
            if (key == "Alias" && name != base) links.push_back({directory + "/" + name, unit});
        }
    }
    return links;
}

std::vector<Link> boot_links(InitSystem system, const Paths& paths, const std::string& name, const Unit& unit, AtBoot at_boot)
{
    // Only SysV init tells "not to be started" from "never heard of": without any link, its tool would make them all.
    if (at_boot == AtBoot::no && system != InitSystem::sysv) return {};
    switch (system) {
        case InitSystem::systemd: return unit_links(paths, unit.path, unit.text);
        case InitSystem::sysv: {
            std::vector<Link> links;
            for (const char level : {'0', '1', '2', '3', '4', '5', '6'}) {
                const bool up = at_boot == AtBoot::yes && level >= '2' && level <= '5';
                links.push_back({std::string("/etc/rc") + level + ".d/" + (up ? start_number : stop_number) + name, "../init.d/" + name});
            }
            return links;
        }
        case InitSystem::openrc: return {{std::string(runlevels) + "/default/" + name, "/etc/init.d/" + name}};
        default: return {};
    }
}

Result<std::vector<Link>> links_there(const os::Tree& tree, InitSystem system, const Paths& paths, const std::string& name)
{
    switch (system) {
        case InitSystem::systemd: return links_of_unit(tree, link_directory(paths), name + ".service");
        case InitSystem::sysv: return numbered_links(tree, name);
        case InitSystem::openrc: return runlevel_links(tree, name);
        default: return std::vector<Link>();
    }
}

Result<AtBoot> present_at_boot(const os::Tree& tree, InitSystem system, const Paths& paths, const std::string& name)
{
    if (system == InitSystem::runit) {
        const auto down = tree.look(runit_down_path(name), largest);
        if (!down) return fail(down.error());
        return *down ? AtBoot::no : AtBoot::yes;
    }
    const auto links = links_there(tree, system, paths, name);
    if (!links) return fail(links.error());
    const bool starts =
        std::ranges::any_of(*links, [&](const Link& link) { return system != InitSystem::sysv || os::base_of(link.path).front() == 'S'; });
    return starts ? AtBoot::yes : AtBoot::no;
}

std::string at_boot_path(const Paths& paths, const std::string& name)
{
    return paths.state + "/" + name + "/boot";
}

std::string at_boot_text(AtBoot at_boot)
{
    return std::string(at_boot == AtBoot::yes ? yes : no);
}

Result<std::optional<AtBoot>> recorded_at_boot(const os::Tree& tree, const Paths& paths, const std::string& name)
{
    auto found = tree.look(at_boot_path(paths, name), largest);
    if (!found) return fail(found.error());
    if (!*found) return std::optional<AtBoot>();
    return std::optional((*found)->text == no ? AtBoot::no : AtBoot::yes);
}

}  // namespace steward::manager
