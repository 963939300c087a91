#include "config/render.hpp"

#include <utility>

#include "config/document.hpp"
#include "config/loader.hpp"
#include "config/schema.hpp"

namespace steward::config {

namespace {

constexpr std::string_view socket_table = "socket";

// Keys of [[socket]] are of one socket, and written from a spec that has no other.
ServiceSpec with_socket(const ServiceSpec& spec, std::size_t place)
{
    ServiceSpec one;
    one.name = spec.name;
    one.sockets = {spec.sockets[place]};
    return one;
}

std::string render_sockets(const ServiceSpec& spec)
{
    const ServiceSpec defaults = with_socket({.name = {}, .sockets = {Socket{}}}, 0);
    std::string text;
    for (std::size_t place = 0; place < spec.sockets.size(); ++place) {
        const ServiceSpec one = with_socket(spec, place);
        text += "\n[[socket]]\n";
        for (const Key& key : schema()) {
            if (key.table != socket_table) continue;
            const auto value = key.write(key, one);
            const auto by_default = key.write(key, defaults);
            if (!value || (by_default && same_value(*value, *by_default))) continue;
            text += std::string(key.name) + " = " + print(*value) + "\n";
        }
    }
    return text;
}

}  // namespace

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
    const auto add_sockets = [&] {
        for (std::size_t place = 0; place < spec.sockets.size(); ++place) {
            const ServiceSpec one = with_socket(spec, place);
            for (const Key& key : schema()) {
                const auto value = key.table == socket_table ? key.write(key, one) : std::nullopt;
                if (value) add(socket_path(place, key.name), *value);
            }
        }
    };
    bool sockets_added = false;
    for (const Key& key : schema()) {
        if (key.table == socket_table) {
            if (!std::exchange(sockets_added, true)) add_sockets();
            continue;
        }
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
        if (key.table == socket_table) continue;
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
    return text + render_sockets(spec);
}

}  // namespace steward::config
