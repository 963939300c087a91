#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/file.hpp"

namespace steward::os {
namespace {

constexpr uid_t somebody = 65534;

class Directory : public testing::Test {
  protected:
    [[nodiscard]] FileInfo at(const std::string& name) const { return info_at(scratch / name)->value(); }

    test::ScratchDirectory scratch;
};

using MakeDirectories = Directory;

TEST_F(MakeDirectories, makes_all_that_is_missing_with_exact_modes)
{
    EXPECT_EQ(test::in_child([&] {
                  umask(077);
                  return make_directories(scratch / "a/b/c", 0750) ? 0 : 1;
              }),
              0);
    EXPECT_EQ(at("a").mode, 0755U);
    EXPECT_EQ(at("a/b").mode, 0755U);
    EXPECT_EQ(at("a/b/c").mode, 0750U);
}

TEST_F(MakeDirectories, leaves_what_is_there)
{
    ASSERT_EQ(mkdir((scratch / "a").c_str(), 0700), 0);
    const auto made = make_directories(scratch / "a", 0755);
    ASSERT_TRUE(made);
    EXPECT_EQ(info(*made).value(), at("a"));
    EXPECT_EQ(at("a").mode, 0700U);
    EXPECT_TRUE(make_directories(scratch / "a/", 0755));
    EXPECT_TRUE(make_directories("/", 0755));
    const auto dotted = make_directories(scratch / "b/c/..", 0755);
    ASSERT_TRUE(dotted);
    EXPECT_EQ(info(*dotted).value(), at("b"));
    EXPECT_TRUE(make_directories(scratch / "b/.", 0755));
    EXPECT_EQ(make_directories("", 0755).error().os_errno, ENOENT);
}

TEST_F(MakeDirectories, goes_through_trusted_links_alone)
{
    std::filesystem::create_directory(scratch / "real");
    ASSERT_EQ(symlink("real", (scratch / "via").c_str()), 0);
    EXPECT_TRUE(make_directories(scratch / "via/x/y", 0755));
    EXPECT_EQ(at("real/x/y").kind, FileInfo::Kind::directory);
    EXPECT_EQ(make_directories(scratch / "via", 0755).error().os_errno, ELOOP);
    if (geteuid() != 0) GTEST_SKIP() << "lchown needs root";
    ASSERT_EQ(lchown((scratch / "via").c_str(), somebody, somebody), 0);
    EXPECT_EQ(make_directories(scratch / "via/z", 0755).error().os_errno, ELOOP);
    EXPECT_FALSE(std::filesystem::exists(scratch / "real/z"));
}

TEST_F(MakeDirectories, refuses_a_file_in_the_way)
{
    scratch.write("file", "");
    EXPECT_EQ(make_directories(scratch / "file", 0755).error().os_errno, ENOTDIR);
    EXPECT_EQ(make_directories(scratch / "file/below", 0755).error().os_errno, ENOTDIR);
}

TEST_F(MakeDirectories, tells_a_place_that_cannot_be_written)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs a second user";
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    EXPECT_EQ(test::in_child([&] {
                  if (setresuid(somebody, somebody, somebody) != 0) return 2;
                  const auto made = make_directories(scratch / "a/b", 0755);
                  return !made && made.error().code == ErrorCode::not_permitted ? 0 : 1;
              }),
              0);
}

using MakeOwnedDirectory = Directory;

TEST_F(MakeOwnedDirectory, gives_the_last_directory_alone_to_its_user)
{
    if (geteuid() != 0) GTEST_SKIP() << "chown needs root";
    ASSERT_TRUE(make_owned_directory(scratch / "a/b", 02750, somebody, 65533));
    EXPECT_EQ(at("a").uid, 0U);
    EXPECT_EQ(at("a/b").uid, somebody);
    EXPECT_EQ(at("a/b").gid, 65533U);
    EXPECT_EQ(at("a/b").mode, 02750U);
}

TEST_F(MakeOwnedDirectory, takes_what_is_theirs_or_roots_as_it_is)
{
    if (geteuid() != 0) GTEST_SKIP() << "chown needs root";
    ASSERT_EQ(mkdir((scratch / "roots").c_str(), 0711), 0);
    ASSERT_TRUE(make_owned_directory(scratch / "roots", 0755, somebody, somebody));
    EXPECT_EQ(at("roots").uid, 0U);
    EXPECT_EQ(at("roots").mode, 0711U);
    ASSERT_TRUE(make_owned_directory(scratch / "theirs", 0700, somebody, somebody));
    EXPECT_TRUE(make_owned_directory(scratch / "theirs", 0755, somebody, somebody));
    EXPECT_EQ(at("theirs").mode, 0700U);
}

TEST_F(MakeOwnedDirectory, refuses_what_is_anothers)
{
    if (geteuid() != 0) GTEST_SKIP() << "chown needs root";
    ASSERT_TRUE(make_owned_directory(scratch / "other", 0755, 1234, 1234));
    const auto refused = make_owned_directory(scratch / "other", 0755, somebody, somebody);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().cause, "it belongs to user 1234, not to user 65534");
    EXPECT_EQ(at("other").uid, 1234U);
}

TEST_F(MakeOwnedDirectory, never_follows_a_link_planted_in_its_place)
{
    std::filesystem::create_directory(scratch / "precious");
    ASSERT_EQ(symlink("precious", (scratch / "state").c_str()), 0);
    EXPECT_EQ(make_owned_directory(scratch / "state", 0755, somebody, somebody).error().os_errno, ELOOP);
    EXPECT_EQ(at("precious").uid, geteuid());
}

TEST_F(MakeOwnedDirectory, leaves_nothing_when_it_may_not_give_it_away)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs a second user";
    ASSERT_EQ(chmod(scratch.path().c_str(), 0777), 0);
    EXPECT_EQ(test::in_child([&] {
                  if (setresuid(somebody, somebody, somebody) != 0) return 2;
                  const auto made = make_owned_directory(scratch / "state", 0755, 1234, 1234);
                  return !made && made.error().code == ErrorCode::not_permitted ? 0 : 1;
              }),
              0);
    EXPECT_FALSE(std::filesystem::exists(scratch / "state"));
}

using ListDirectory = Directory;

TEST_F(ListDirectory, is_sorted_and_without_the_dots)
{
    for (const char* name : {"b", "a", ".hidden", "c.toml"}) scratch.write(name, "");
    EXPECT_EQ(list_directory(scratch.path()).value(), (std::vector<std::string>{".hidden", "a", "b", "c.toml"}));
}

TEST_F(ListDirectory, is_empty_where_there_is_none)
{
    EXPECT_EQ(list_directory(scratch / "none").value(), std::vector<std::string>());
}

TEST_F(ListDirectory, tells_what_is_no_directory)
{
    scratch.write("file", "");
    EXPECT_EQ(list_directory(scratch / "file").error().os_errno, ENOTDIR);
}

}  // namespace
}  // namespace steward::os
