#include "manager/key_changes.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>

#include "config/loader.hpp"

namespace steward::manager {

namespace {

bool is_among(std::string_view key, std::span<const std::string_view> starts)
{
    return std::ranges::any_of(starts, [&](std::string_view start) { return key.starts_with(start); });
}

// What is named nowhere here was given to the program when it was started, and is the program's until it ends.
Means means_of(std::string_view key, bool supervised, bool has_unit)
{
    static constexpr std::array<std::string_view, 3> of_the_program{"ready.notify", "ready.fd", "health.watchdog"};
    // Read when somebody asks, or at the next start.
    static constexpr std::array<std::string_view, 6> read_when_asked{"service.documentation", "ready.",        "dependencies.",
                                                                     "install.enable",        "systemd.Unit.", "systemd.Install."};
    static constexpr std::array<std::string_view, 2> of_the_unit{"install.supervisor", "systemd.Service."};
    static constexpr std::array<std::string_view, 12> of_the_supervisor{
        "service.description", "hooks.",       "stop.",    "reload.",       "restart.",     "health.",
        "log.timestamps",      "log.max-size", "log.keep", "log.max-total", "log.compress", "log.rate-limit"};
    if (is_among(key, of_the_program)) return Means::restart;
    if (is_among(key, read_when_asked)) return Means::live;
    if (is_among(key, of_the_unit)) return has_unit ? Means::restart : Means::live;
    if (is_among(key, of_the_supervisor)) return supervised ? Means::signal : Means::live;
    return Means::restart;
}

using Values = std::map<std::string, std::string>;

// Of a table of free keys each is one of its own, and an empty one is none.
Values values_of(const ServiceSpec& spec)
{
    Values values;
    for (ResolvedKey& key : config::keys_of(spec)) {
        if (key.value != "{}") values.emplace(std::move(key.path), std::move(key.value));
    }
    return values;
}

}  // namespace

std::vector<KeyChange> key_changes(const ServiceSpec& before, const ServiceSpec& now, bool has_unit)
{
    Values former = values_of(before);
    // A key that has no effect on one side is not among its keys; variables of the environment and settings of systemd's have no default.
    const Values defaults = values_of(ServiceSpec{});
    const auto value_in = [&](const Values& values, const std::string& key) {
        const auto found = values.find(key);
        if (found != values.end()) return found->second;
        const auto unwritten = defaults.find(key);
        return unwritten == defaults.end() ? std::string() : unwritten->second;
    };
    std::vector<KeyChange> changes;
    const auto add = [&](const std::string& key, const std::string& was, const std::string& is) {
        const bool supervised = before.service.supervise;
        if (was != is) changes.push_back({.key = key, .before = was, .after = is, .means = means_of(key, supervised, has_unit)});
    };
    const Values latter = values_of(now);
    for (const ResolvedKey& key : config::keys_of(now)) {
        if (latter.contains(key.path)) add(key.path, value_in(former, key.path), key.value);
        former.erase(key.path);
    }
    for (const auto& [key, value] : former) add(key, value, value_in(latter, key));
    return changes;
}

std::optional<Means> furthest(const std::vector<KeyChange>& changes)
{
    if (changes.empty()) return std::nullopt;
    return std::ranges::max_element(changes, {}, &KeyChange::means)->means;
}

}  // namespace steward::manager
