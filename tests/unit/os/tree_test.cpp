#include "os/tree.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "helpers/scratch.hpp"

namespace steward::os {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t limit = 1024;

class TreeTest : public testing::Test {
  protected:
    void SetUp() override
    {
        fs::create_directories(inside("etc"));
        fs::create_directory(scratch_ / "outside");
    }
    [[nodiscard]] std::string inside(const std::string& path) const { return scratch_ / "root/" + path; }
    [[nodiscard]] Tree tree() const { return std::move(*Tree::open(scratch_ / "root")); }
    static std::string text_at(const Tree& tree, const std::string& path)
    {
        const auto object = tree.look(path, limit);
        return object && *object ? (*object)->text : "(nothing)";
    }

    test::ScratchDirectory scratch_;
};

TEST_F(TreeTest, files_links_and_directories_are_made_and_looked_at)
{
    const Tree tree = this->tree();
    ASSERT_TRUE(tree.write_file("/etc/a", "content", 0755));
    ASSERT_TRUE(tree.write_link("/etc/b", "/etc/a"));
    ASSERT_TRUE(tree.make_directory("/etc/d", 0755));
    const auto file = tree.look("/etc/a", limit);
    ASSERT_TRUE(file && *file);
    EXPECT_EQ((*file)->text, "content");
    EXPECT_EQ((*file)->info.mode, 0755u);
    const auto link = tree.look("/etc/b", limit);
    ASSERT_TRUE(link && *link);
    EXPECT_EQ((*link)->text, "/etc/a");
    EXPECT_EQ((*link)->info.kind, FileInfo::Kind::symlink);
    EXPECT_EQ(tree.look("/etc/d", limit).value()->info.kind, FileInfo::Kind::directory);
    EXPECT_EQ(tree.look("/etc/none", limit).value().has_value(), false);
    EXPECT_EQ(tree.look("/none/none", limit).value().has_value(), false);
    EXPECT_THAT(tree.list("/etc").value(), ElementsAre("a", "b", "d"));
    EXPECT_THAT(tree.list("/none").value(), IsEmpty());
}

TEST_F(TreeTest, an_absolute_link_on_the_way_stays_inside)
{
    fs::create_directory_symlink("/etc", inside("absolute"));
    const Tree tree = this->tree();
    ASSERT_TRUE(tree.write_file("/absolute/a", "x", 0644));
    EXPECT_EQ(test::content_of(inside("etc/a")), "x");
}

TEST_F(TreeTest, dots_do_not_lead_out)
{
    fs::create_directory_symlink("../../../../outside", inside("up"));
    const Tree tree = this->tree();
    EXPECT_FALSE(tree.write_file("/up/a", "x", 0644));
    EXPECT_FALSE(tree.write_file("/../outside/a", "x", 0644));
    ASSERT_TRUE(tree.write_file("/../../etc/../etc/a", "x", 0644));
    EXPECT_THAT(fs::is_empty(scratch_ / "outside"), true);
    EXPECT_EQ(test::content_of(inside("etc/a")), "x");
}

TEST_F(TreeTest, a_link_at_the_end_is_replaced_and_never_followed)
{
    fs::create_symlink(scratch_ / "outside/victim", inside("etc/a"));
    const Tree tree = this->tree();
    ASSERT_TRUE(tree.write_file("/etc/a", "x", 0644));
    EXPECT_FALSE(fs::exists(scratch_ / "outside/victim"));
    EXPECT_EQ(text_at(tree, "/etc/a"), "x");
}

TEST_F(TreeTest, removing_leaves_what_is_not_empty_and_succeeds_on_nothing)
{
    const Tree tree = this->tree();
    ASSERT_TRUE(tree.write_file("/etc/a", "x", 0644));
    EXPECT_TRUE(tree.remove_directory("/etc"));
    EXPECT_TRUE(fs::exists(inside("etc/a")));
    EXPECT_TRUE(tree.remove("/etc/a"));
    EXPECT_TRUE(tree.remove("/etc/a"));
    EXPECT_TRUE(tree.remove("/none/a"));
    EXPECT_TRUE(tree.remove_directory("/etc"));
    EXPECT_TRUE(tree.remove_directory("/etc"));
    EXPECT_FALSE(fs::exists(inside("etc")));
}

TEST_F(TreeTest, what_a_killed_writer_left_is_swept_and_not_listed)
{
    const Tree tree = this->tree();
    scratch_.write("root/etc/.steward-12-0.tmp", "half");
    scratch_.write("root/etc/.steward", "not ours");
    EXPECT_THAT(tree.list("/etc").value(), ElementsAre(".steward"));
    ASSERT_TRUE(tree.sweep("/etc"));
    ASSERT_TRUE(tree.sweep("/none"));
    EXPECT_FALSE(fs::exists(inside("etc/.steward-12-0.tmp")));
    EXPECT_TRUE(fs::exists(inside("etc/.steward")));
}

TEST_F(TreeTest, a_whole_directory_is_removed_and_its_links_are_not_followed)
{
    scratch_.write("outside/keep", "x");
    fs::create_directories(inside("etc/d/e/f"));
    scratch_.write("root/etc/d/e/file", "x");
    fs::create_directory_symlink(scratch_ / "outside", inside("etc/d/e/link"));
    const Tree tree = this->tree();
    ASSERT_TRUE(tree.remove_all("/etc/d"));
    ASSERT_TRUE(tree.remove_all("/etc/d"));
    EXPECT_FALSE(fs::exists(inside("etc/d")));
    EXPECT_TRUE(fs::exists(scratch_ / "outside/keep"));
}

TEST_F(TreeTest, a_file_that_is_too_large_is_an_error)
{
    const Tree tree = this->tree();
    scratch_.write("root/etc/a", std::string(limit + 1, 'x'));
    EXPECT_FALSE(tree.look("/etc/a", limit));
}

TEST_F(TreeTest, where_files_can_be_made_is_told_by_the_nearest_directory)
{
    const Tree tree = this->tree();
    EXPECT_TRUE(tree.can_write_in("/etc/none/none"));
    scratch_.write("root/etc/file", "");
    EXPECT_TRUE(tree.can_write_in("/usr/local"));
    if (geteuid() == 0) GTEST_SKIP() << "root can write everywhere";
    fs::permissions(inside("etc"), fs::perms(0500));
    EXPECT_FALSE(tree.can_write_in("/etc/none"));
}

TEST_F(TreeTest, an_error_names_the_path)
{
    const auto written = tree().write_file("/none/a", "x", 0644);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message(), "cannot write '/none/a': No such file or directory");
}

TEST_F(TreeTest, one_holds_the_lock_whose_file_is_there)
{
    const Tree tree = this->tree();
    auto first = tree.lock("/etc/.lock");
    ASSERT_TRUE(first);
    EXPECT_EQ(fs::status(inside("etc/.lock")).permissions(), fs::perms(0600));
    bool held = false;
    std::thread other([&] {
        // By then it is another file, if it was waited for.
        auto second = tree.lock("/etc/.lock");
        struct stat locked {};
        struct stat there {};
        held =
            second && fstat(second->get(), &locked) == 0 && stat(inside("etc/.lock").c_str(), &there) == 0 && locked.st_ino == there.st_ino;
    });
    EXPECT_TRUE(tree.remove("/etc/.lock"));
    first->reset();
    other.join();
    EXPECT_TRUE(held);
    EXPECT_FALSE(tree.lock("/none/.lock"));
}

TEST_F(TreeTest, who_locks_the_directory_holds_up_nobody)
{
    const auto directory = open_following(inside("etc"), {.read = true, .directory = true});
    ASSERT_TRUE(directory);
    ASSERT_EQ(flock(directory->get(), LOCK_EX), 0);
    EXPECT_TRUE(tree().lock("/etc/.lock"));
}

}  // namespace
}  // namespace steward::os
