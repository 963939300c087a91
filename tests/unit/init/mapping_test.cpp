// The mapping is total: every key of the schema has its place under every init system, and the page says the same.
#include <algorithm>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "config/schema.hpp"
#include "init/mapping.hpp"
#include "init/render.hpp"

namespace steward::init {
namespace {

TEST(Mapping, has_a_line_for_every_key_of_the_schema)
{
    for (const config::Key& key : config::schema()) {
        const bool there = std::ranges::any_of(mappings(), [&](const Mapping& m) { return m.table == key.table && m.name == key.name; });
        EXPECT_TRUE(there) << "[" << key.table << "] " << key.name << " has no line in src/init/mapping.cpp";
    }
}

TEST(Mapping, has_no_line_for_what_is_no_key)
{
    for (const Mapping& mapping : mappings()) {
        const auto* key = config::find_key(mapping.table, mapping.name);
        EXPECT_TRUE(key != nullptr && key->name == mapping.name) << "[" << mapping.table << "] " << mapping.name;
    }
}

TEST(Mapping, says_native_carried_or_lost_for_every_init_system)
{
    for (const Mapping& mapping : mappings()) {
        EXPECT_EQ(mapping.how.size(), init_systems.size()) << mapping.table << "." << mapping.name;
        EXPECT_EQ(mapping.how.find_first_not_of("ncl"), std::string_view::npos) << mapping.table << "." << mapping.name;
    }
}

TEST(Mapping, finds_a_key_by_its_path)
{
    EXPECT_EQ(find_mapping("restart.delay")->name, "delay");
    EXPECT_EQ(find_mapping("service.environment")->name, "environment");
    EXPECT_EQ(find_mapping("service.environment.PATH")->name, "environment");
    EXPECT_EQ(find_mapping("service.environment-files")->name, "environment-files");
    EXPECT_EQ(find_mapping("systemd.Service.DynamicUser")->table, "systemd.Service");
    EXPECT_EQ(find_mapping("nothing.at-all"), nullptr);
}

TEST(Mapping, is_what_the_page_shows)
{
    const std::string path = STEWARD_SOURCE_ROOT "/docs/init-systems.md";
    if (std::getenv("STEWARD_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << mapping_page();
    std::stringstream page;
    page << std::ifstream(path).rdbuf();
    EXPECT_EQ(page.str(), mapping_page()) << "STEWARD_UPDATE_GOLDEN=1 rewrites docs/init-systems.md";
}

}  // namespace
}  // namespace steward::init
