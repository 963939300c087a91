#include "config/unknown.hpp"

#include <algorithm>
#include <vector>

#include <steward/words.hpp>

#include "config/schema.hpp"

namespace steward::config {

namespace {

// "[stop] or [reload]": the tables that have a key of this name, those without effect in this version only where there is no other.
std::string homes_of(std::string_view name)
{
    std::vector<std::string> tables;
    for (const bool supported : {true, false}) {
        for (const Key& key : schema()) {
            if (key.name == name && key.supported() == supported) tables.push_back(table_label(key.table));
        }
        if (!tables.empty()) break;
    }
    std::string text;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        if (i > 0) text += i + 1 == tables.size() ? " or " : ", ";
        text += tables[i];
    }
    return text;
}

// Below `prefix`, without it.
std::vector<std::string> tables(std::string_view prefix)
{
    std::vector<std::string> names;
    for (const Key& key : schema()) {
        if (!key.table.starts_with(prefix)) continue;
        const std::string_view name = key.table.substr(prefix.size());
        if (names.empty() || names.back() != name) names.emplace_back(name);
    }
    return names;
}

std::string near_key_elsewhere(const std::string& name)
{
    std::vector<std::string> names;
    for (const Key& key : schema()) {
        if (key.supported()) names.emplace_back(key.name);
    }
    const std::string near = nearest(name, names);
    const auto home = std::ranges::find(schema(), near, &Key::name);
    return near.empty() ? near : std::string(home->table) + "." + near;
}

}  // namespace

std::string table_label(std::string_view table)
{
    return table == "socket" ? "[[socket]]" : "[" + std::string(table) + "]";
}

bool is_table(std::string_view name)
{
    return std::ranges::find(schema(), name, &Key::table) != schema().end();
}

std::string fault_unknown_key(Source& source, std::string_view table, const Member& member)
{
    std::vector<std::string> siblings;
    for (const Key& key : schema()) {
        if (key.table == table) siblings.emplace_back(key.name);
    }
    const std::string message = "unknown key " + excerpt(member.key) + " in " + table_label(table);
    std::string near = nearest(member.key, siblings);
    if (!near.empty()) {
        source.fault(member.place, message, near);
    } else if (const std::string homes = homes_of(member.key); !homes.empty()) {
        source.fault(member.place, excerpt(member.key) + " belongs in " + homes + ", not in " + table_label(table));
    } else if (is_table(member.key)) {
        source.fault(member.place,
                     excerpt(member.key) + " is a table of its own, " + table_label(member.key) + ", not a key of " + table_label(table));
    } else {
        source.fault(member.place, message, near_key_elsewhere(member.key));
    }
    return near;
}

std::string fault_unknown_at_top(Source& source, std::string_view prefix, const Member& member)
{
    const std::string name = std::string(prefix) + member.key;
    const std::string near = nearest(member.key, tables(prefix));
    const std::string label = near.empty() ? near : table_label(std::string(prefix) + near);
    if (member.value.kind == Node::Kind::table) {
        source.fault(member.place, "unknown table " + excerpt("[" + name + "]"), label);
        return near;
    }
    const std::string homes = prefix.empty() ? homes_of(member.key) : std::string();
    if (!homes.empty()) {
        source.fault(member.place, excerpt(member.key) + " stands outside any table: it belongs in " + homes);
        return member.key;
    }
    source.fault(member.place, "unknown key " + excerpt(name) + " outside any table",
                 label.empty() ? near_key_elsewhere(member.key) : label);
    return near;
}

}  // namespace steward::config
