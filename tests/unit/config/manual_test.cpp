// steward.toml(5) and the schema agree: every key has its paragraph under its table, and every default is the one that loading gives.
#include <filesystem>
#include <map>
#include <sstream>

#include "config/schema.hpp"
#include "helpers/scratch.hpp"
#include "loading.hpp"

namespace steward::config {
namespace {

// "table.key" → the paragraph's text. A table is an .Ss whose title is its name in brackets, a key an .It Ic (several: "Ic a , b").
std::map<std::string, std::string> paragraphs()
{
    std::map<std::string, std::string> found;
    std::istringstream page(test::content_of(STEWARD_SOURCE_ROOT "/docs/man/steward.toml.5"));
    std::string line, table, key;
    while (std::getline(page, line)) {
        if (line.starts_with(".Sh ")) table.clear();
        if (line.starts_with(".Ss ")) table = line.substr(4);
        if (line.starts_with(".El")) key.clear();
        if (line.starts_with(".It Ic ")) {
            key = table + " " + line.substr(7);
            found[key];
        } else if (!key.empty()) {
            found[key] += line + "\n";
        }
    }
    return found;
}

std::string title_of(const Key& key)
{
    const std::string table(key.table);
    return table == "socket" ? "[[socket]]" : "[" + table + "]";
}

TEST(Manual, every_key_has_its_paragraph)
{
    const auto page = paragraphs();
    for (const Key& key : schema()) {
        const std::string name = key.name == "*" ? "KEY" : std::string(key.name);
        const auto found = page.find(title_of(key) + " " + name);
        ASSERT_NE(found, page.end()) << title_of(key) << " " << name << " is not described";
        EXPECT_GT(found->second.size(), 10U) << found->first << " has an empty paragraph";
    }
}

TEST(Manual, no_paragraph_describes_a_key_that_does_not_exist)
{
    for (const auto& [title, text] : paragraphs()) {
        if (!title.starts_with('[')) continue;
        const std::size_t space = title.find(' ');
        std::string table = title.substr(1, space - 2);
        if (table.starts_with('[')) table = table.substr(1, table.size() - 2);
        EXPECT_NE(find_key(table, title.substr(space + 1)), nullptr) << title;
    }
}

TEST(Manual, every_default_is_told_and_true)
{
    const auto page = paragraphs();
    const ServiceSpec defaults;
    const auto keys = keys_of(defaults);
    for (const Key& key : schema()) {
        const std::string value = shown(keys, std::string(key.table) + "." + std::string(key.name));
        if (!key.supported() || value == "(none)" || value == "[]" || value == "{}") continue;
        std::string escaped;
        for (const char c : value) escaped += c == '"' ? std::string("\\(dq") : std::string(1, c);
        const std::string& text = page.at(title_of(key) + " " + std::string(key.name));
        EXPECT_NE(text.find("Default: " + escaped), std::string::npos)
            << title_of(key) << " " << key.name << " should say Default: " << escaped;
    }
}

TEST(Manual, keys_of_later_versions_are_said_to_be_refused)
{
    const auto page = paragraphs();
    for (const Key& key : schema()) {
        if (key.supported() || key.name == "*") continue;
        EXPECT_NE(page.at(title_of(key) + " " + std::string(key.name)).find("Not supported by this version."), std::string::npos)
            << title_of(key) << " " << key.name;
    }
}

}  // namespace
}  // namespace steward::config
