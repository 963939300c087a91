#include "init/dependencies.hpp"

#include <algorithm>

namespace steward::init {

namespace {

using Names = std::vector<std::string>;

struct Neutral {
    std::string_view name;
    std::string_view target;  // systemd.special(7)
    bool pulled_in;           // by those that need it; a passive target is pulled in by what provides it, and only ordered after
    std::string_view facility;
    std::string_view openrc;
};
// systemd has a socket for syslog before it starts any service.
constexpr auto neutrals = std::to_array<Neutral>({
    {"network", "network.target", false, "$network", "net"},
    {"network-online", "network-online.target", true, "$network", "net"},
    {"local-fs", "local-fs.target", true, "$local_fs", "localmount"},
    {"remote-fs", "remote-fs.target", true, "$remote_fs", "netmount"},
    {"time", "time-sync.target", false, "$time", "clock"},
    {"syslog", "", false, "$syslog", "logger"},
    {"name-lookup", "nss-lookup.target", false, "$named", "dns"},
});
static_assert(neutrals.size() == neutral_names.size());

const Neutral* find_neutral(const std::string& name)
{
    const auto found = std::ranges::find(neutrals, name, &Neutral::name);
    return found == neutrals.end() ? nullptr : &*found;
}

bool contains(const Names& names, const std::string& name)
{
    return std::ranges::find(names, name) != names.end();
}

void add(Names& names, const std::string& name)
{
    if (!name.empty() && !contains(names, name)) names.push_back(name);
}

std::string joined(const Names& names)
{
    std::string line;
    for (const std::string& name : names) line += (line.empty() ? "" : " ") + name;
    return line;
}

struct Line {
    const char* start;
    const Names& names;
};

// Those that have a name.
Lines lines_of(std::initializer_list<Line> all)
{
    Lines lines;
    for (const auto& [start, names] : all) {
        if (!names.empty()) lines.push_back(start + joined(names));
    }
    return lines;
}

std::string unit_of(const std::string& name)
{
    const Neutral* neutral = find_neutral(name);
    return neutral != nullptr ? std::string(neutral->target) : name + ".service";
}

std::string facility_of(const std::string& name)
{
    const Neutral* neutral = find_neutral(name);
    return neutral != nullptr ? std::string(neutral->facility) : name;
}

std::string openrc_name(const std::string& name)
{
    const Neutral* neutral = find_neutral(name);
    return neutral != nullptr ? std::string(neutral->openrc) : name;
}

Names services_of(const Names& names)
{
    Names services;
    for (const std::string& name : names) {
        if (!is_neutral_name(name)) services.push_back(name);
    }
    return services;
}

// The init systems whose words for "needs" say "and comes after it" too.
bool needing_is_following(InitSystem system)
{
    return system == InitSystem::sysv || system == InitSystem::openrc || system == InitSystem::dinit;
}

std::string doubt(const Names& named, const Names& before, InitSystem system)
{
    if (!needing_is_following(system)) return {};
    if (std::ranges::any_of(named, [&](const std::string& name) { return contains(before, name); }))
        return "names what [dependencies] before names too";
    if (system != InitSystem::dinit) return {};
    if (std::ranges::any_of(named, [](const std::string& name) { return is_neutral_name(name); }))
        return "names a state of the system, for which dinit has no word";
    const bool instance = std::ranges::any_of(named, [](const std::string& name) { return name.find('@') != std::string::npos; });
    return instance ? "names an instance, and dinit takes what follows '@' for an argument" : "";
}

}  // namespace

Lines systemd_dependencies(const Request& request)
{
    const auto& wishes = request.spec.dependencies;
    Names required, wanted, after, before;
    // A user's manager knows no states of the system: it is started when they are reached.
    const auto each = [&](const Names& names, auto act) {
        for (const std::string& name : names) {
            if (request.scope == Scope::system || !is_neutral_name(name)) act(name);
        }
    };
    const auto need = [&](Names& needed, const std::string& name) {
        const Neutral* neutral = find_neutral(name);
        if (neutral == nullptr || neutral->pulled_in) add(needed, unit_of(name));
        if (!contains(wishes.before, name)) add(after, unit_of(name));
    };
    each(wishes.required, [&](const std::string& name) { need(required, name); });
    each(wishes.wanted, [&](const std::string& name) { need(wanted, name); });
    each(wishes.after, [&](const std::string& name) { add(after, unit_of(name)); });
    each(wishes.before, [&](const std::string& name) { add(before, unit_of(name)); });
    return lines_of({{"Requires=", required}, {"Wants=", wanted}, {"After=", after}, {"Before=", before}});
}

LsbHeader lsb_dependencies(const ServiceSpec& spec)
{
    const auto& wishes = spec.dependencies;
    Names required{"$remote_fs", "$syslog"}, should, before;
    for (const std::string& name : wishes.required) {
        if (!contains(wishes.before, name)) add(required, facility_of(name));
    }
    for (const std::string& name : wishes.wanted) {
        if (!contains(wishes.before, name)) add(should, facility_of(name));
    }
    for (const std::string& name : wishes.after) add(should, facility_of(name));
    for (const std::string& name : wishes.before) add(before, facility_of(name));
    std::erase_if(should, [&](const std::string& name) { return contains(required, name); });
    return {.required = joined(required),
            .more = lines_of({{"# Should-Start:      ", should},
                              {"# Should-Stop:       ", should},
                              {"# X-Start-Before:    ", before},
                              {"# X-Stop-After:      ", before}})};
}

Lines openrc_dependencies(const ServiceSpec& spec)
{
    const auto& wishes = spec.dependencies;
    // Never "need" for a neutral name: Debian's OpenRC has the scripts of SysV init, and no service called localmount or net.
    Names need, want, use{"localmount"}, after, before;
    const auto each = [&](const Names& names, Names& needed) {
        for (const std::string& name : names) {
            if (contains(wishes.before, name)) continue;
            add(find_neutral(name) == nullptr ? needed : use, openrc_name(name));
        }
    };
    each(wishes.required, need);
    each(wishes.wanted, want);
    for (const std::string& name : wishes.after) add(after, openrc_name(name));
    for (const std::string& name : wishes.before) add(before, openrc_name(name));
    std::erase(use, "logger");  // the template uses it always
    return lines_of({{"    need ", need}, {"    want ", want}, {"    use ", use}, {"    after ", after}, {"    before ", before}});
}

Lines dinit_dependencies(const ServiceSpec& spec)
{
    const auto& wishes = spec.dependencies;
    Lines lines;
    const auto each = [&](const char* setting, const Names& names) {
        for (const std::string& name : services_of(names)) {
            const bool sayable = !contains(wishes.before, name) && name.find('@') == std::string::npos;
            if (sayable) lines.push_back(std::string(setting) + " = " + name);
        }
    };
    each("depends-on", wishes.required);
    each("waits-for", wishes.wanted);
    return lines;
}

std::string doubt_requires(const ServiceSpec& spec, InitSystem system)
{
    return doubt(spec.dependencies.required, spec.dependencies.before, system);
}

std::string doubt_wants(const ServiceSpec& spec, InitSystem system)
{
    return doubt(spec.dependencies.wanted, spec.dependencies.before, system);
}

}  // namespace steward::init
