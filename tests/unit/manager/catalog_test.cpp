#include "manager/catalog.hpp"

#include <filesystem>

#include "managing.hpp"

namespace steward::manager {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Catalog : public testing::Test {
  protected:
    Catalog()
    {
        for (const char* directory : {"admin", "local", "vendor", "run"}) std::filesystem::create_directory(scratch_ / directory);
        paths_.config = {scratch_ / "admin", scratch_ / "local", scratch_ / "vendor"};
        paths_.overrides = scratch_ / "admin";
        paths_.runtime = scratch_ / "run";
    }
    std::string write(const std::string& name) const
    {
        std::filesystem::create_directories(std::filesystem::path(scratch_ / name).parent_path());
        return scratch_.write(name, "[service]\ncommand = [\"/bin/true\"]\n");
    }
    [[nodiscard]] std::optional<config::Sources> find(const std::string& name) const
    {
        auto found = find_service_file(paths_, name);
        EXPECT_TRUE(found) << found.error().message();
        return found.value_or(std::nullopt);
    }
    [[nodiscard]] std::string file_of(const std::string& name) const
    {
        const auto found = find(name);
        return found ? found->file : "";
    }

    test::ScratchDirectory scratch_;
    Paths paths_;
};

TEST_F(Catalog, finds_nothing_where_there_is_nothing)
{
    EXPECT_FALSE(find("web"));
    EXPECT_THAT(known_names(paths_).value(), IsEmpty());
}

TEST_F(Catalog, directories_that_do_not_exist_are_empty)
{
    paths_.config = {scratch_ / "missing"};
    paths_.overrides = scratch_ / "missing";
    paths_.runtime = scratch_ / "missing";
    EXPECT_FALSE(find("web"));
    EXPECT_THAT(known_names(paths_).value(), IsEmpty());
}

TEST_F(Catalog, the_first_directory_wins)
{
    const auto vendor = write("vendor/web.toml");
    EXPECT_EQ(file_of("web"), vendor);
    const auto local = write("local/web.toml");
    EXPECT_EQ(file_of("web"), local);
    const auto admin = write("admin/web.toml");
    EXPECT_EQ(file_of("web"), admin);
    EXPECT_EQ(find("web")->name, "web");
}

TEST_F(Catalog, a_link_to_a_service_file_is_followed)
{
    const auto real = write("elsewhere/real.toml");
    std::filesystem::create_symlink(real, scratch_ / "admin/web.toml");
    EXPECT_EQ(file_of("web"), scratch_ / "admin/web.toml");
}

TEST_F(Catalog, overrides_are_the_administrators_in_the_order_of_their_names)
{
    write("vendor/web.toml");
    const auto second = write("admin/web.toml.d/20-second.toml");
    const auto first = write("admin/web.toml.d/10-first.toml");
    write("admin/web.toml.d/30-not.txt");
    write("vendor/web.toml.d/05-vendor.toml");
    EXPECT_THAT(find("web")->overrides, ElementsAre(first, second));
}

TEST_F(Catalog, an_instance_has_its_templates_file_and_the_overrides_of_both_its_own_last)
{
    const auto file = write("vendor/worker@.toml");
    const auto own = write("admin/worker@1.toml.d/10-own.toml");
    const auto all = write("admin/worker@.toml.d/90-all.toml");
    const auto found = find("worker@1");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "worker@1");
    EXPECT_EQ(found->file, file);
    EXPECT_THAT(found->overrides, ElementsAre(all, own));
}

TEST_F(Catalog, an_instance_with_a_file_of_its_own_does_not_use_the_template)
{
    write("admin/worker@.toml");
    const auto own = write("vendor/worker@1.toml");
    EXPECT_EQ(file_of("worker@1"), own);
    EXPECT_EQ(file_of("worker@2"), scratch_ / "admin/worker@.toml");
}

TEST_F(Catalog, a_template_is_no_service)
{
    write("admin/worker@.toml");
    EXPECT_THAT(known_names(paths_).value(), IsEmpty());
    EXPECT_EQ(sources_of_file(paths_, scratch_ / "admin/worker@.toml").error().code, ErrorCode::invalid_argument);
}

TEST_F(Catalog, names_are_those_of_files_and_records_once_and_sorted)
{
    write("vendor/web.toml");
    write("admin/web.toml");
    write("local/api.toml");
    write("admin/.hidden.toml");
    write("admin/notes.txt");
    write("admin/web.toml.d/x.toml");
    for (const char* name : {"gone", "web"}) {
        const auto record = record::ServiceDirectory::create(paths_.runtime, name);
        ASSERT_TRUE(record && record->write_state({}));
    }
    ASSERT_TRUE(record::ServiceDirectory::create(paths_.runtime, "never-started"));
    EXPECT_THAT(known_names(paths_).value(), ElementsAre("api", "gone", "web"));
}

TEST_F(Catalog, a_file_gives_its_service_the_name)
{
    for (const auto& [file, name] : std::map<std::string, std::string>{{"/srv/web.toml", "web"},
                                                                       {"/srv/web", "web"},
                                                                       {"/srv/web.conf", "web.conf"},
                                                                       {"/srv/worker@1.toml", "worker@1"},
                                                                       {"/srv/a.b_c:d-e.toml", "a.b_c:d-e"}}) {
        const auto sources = sources_of_file(paths_, file);
        ASSERT_TRUE(sources) << file;
        EXPECT_EQ(sources->name, name);
        EXPECT_EQ(sources->file, file);
    }
}

TEST_F(Catalog, a_file_that_no_service_can_be_named_after_is_refused)
{
    for (const char* file : {"/srv/.toml", "/srv/-x.toml", "/srv/a b.toml", "/srv/x.pid", "/srv/x.toml.toml", "/srv/é.toml"}) {
        const auto sources = sources_of_file(paths_, file);
        ASSERT_FALSE(sources) << file;
        EXPECT_EQ(sources.error().code, ErrorCode::invalid_argument);
    }
}

TEST_F(Catalog, a_file_given_by_a_relative_path_is_remembered_by_an_absolute_one)
{
    EXPECT_EQ(sources_of_file(paths_, "./web.toml")->file.front(), '/');
}

TEST_F(Catalog, a_file_given_by_path_has_the_overrides_of_its_name)
{
    const auto override = write("admin/web.toml.d/10-x.toml");
    EXPECT_THAT(sources_of_file(paths_, "/srv/web.toml")->overrides, ElementsAre(override));
}

TEST_F(Catalog, globs_are_told_from_names)
{
    for (const char* glob : {"*", "w?b", "[ab]", "web*"}) EXPECT_TRUE(is_glob(glob)) << glob;
    for (const char* name : {"web", "worker@1", "a.b-c"}) EXPECT_FALSE(is_glob(name)) << name;
    EXPECT_TRUE(glob_matches("w*", "web"));
    EXPECT_FALSE(glob_matches("w?", "web"));
}

}  // namespace
}  // namespace steward::manager
