#include "config/render.hpp"

#include "config/document.hpp"
#include "config/loader.hpp"
#include "config/schema.hpp"

namespace steward::config {

std::vector<ResolvedKey> resolved_keys(const ServiceSpec& spec, const Origins& origins)
{
    std::vector<ResolvedKey> keys;
    const auto add = [&](std::string path, const Node& value) {
        ResolvedKey key{std::move(path), print(value), {}, 0};
        const auto origin = origins.find(key.path);
        // A default that does nothing, and would be a fault if it were written.
        if (origin == origins.end() && object_to_effect(spec, key.path)) return;
        if (origin != origins.end()) {
            key.file = origin->second.source->path();
            key.line = origin->second.place.line;
        }
        keys.push_back(std::move(key));
    };
    for (const Key& key : schema()) {
        const auto value = key.supported() ? key.write(key, spec) : std::nullopt;
        if (!value) continue;
        const std::string table(key.table);
        // In a table of free keys each is one of its own.
        const std::string path = key.name == "*" ? table : table + "." + std::string(key.name);
        if (value->kind != Node::Kind::table || value->members.empty()) {
            add(path, *value);
            continue;
        }
        for (const Member& member : value->members) add(path + "." + print_key(member.key), member.value);
    }
    return keys;
}

std::vector<ResolvedKey> keys_of(const ServiceSpec& spec)
{
    return resolved_keys(spec, {});
}

std::string render(const ServiceSpec& spec)
{
    // Only what differs from the defaults: a key that is written is a demand (steward.toml(5)), and a default is none.
    const ServiceSpec defaults;
    std::string text;
    std::string_view table;
    const auto add = [&](const Key& key, const std::string& path, const Node& value) {
        if (key.table != table) text += (text.empty() ? "[" : "\n[") + std::string(key.table) + "]\n";
        table = key.table;
        text += path + " = " + print(value) + "\n";
    };
    for (const Key& key : schema()) {
        const auto value = key.supported() ? key.write(key, spec) : std::nullopt;
        if (!value) continue;
        const auto by_default = key.write(key, defaults);
        if (by_default && same_value(*value, *by_default)) continue;
        const std::string name(key.name);
        if (value->kind != Node::Kind::table) {
            add(key, name, *value);
            continue;
        }
        const std::string prefix = name == "*" ? std::string() : name + ".";
        for (const Member& member : value->members) add(key, prefix + print_key(member.key), member.value);
    }
    return text;
}

}  // namespace steward::config
