#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers/scratch.hpp"
#include "os/file.hpp"
#include "os/trust.hpp"

namespace steward::os {
namespace {

constexpr uid_t somebody = 65534;
constexpr gid_t some_group = 65533;

// above/below in a scratch directory; the tests change one of them.
class Distrust : public testing::Test {
  protected:
    Distrust() { std::filesystem::create_directories(below); }

    // Empty: trusted.
    [[nodiscard]] std::string reason(const TrustRule& rule = {.owner = geteuid(), .groups = {}}) const
    {
        const auto directory = open_following(below, {.directory = true, .path_only = true});
        if (!directory) return directory.error().message();
        const auto distrusted = distrust(*directory, rule);
        return distrusted ? distrusted->value_or("") : distrusted.error().message();
    }
    static void set_mode(const std::string& path, mode_t mode) { ASSERT_EQ(chmod(path.c_str(), mode), 0); }
    static void give(const std::string& path, uid_t uid, gid_t gid) { ASSERT_EQ(chown(path.c_str(), uid, gid), 0); }

    test::ScratchDirectory scratch;
    std::string above = scratch / "above";
    std::string below = above + "/below";
};

TEST_F(Distrust, trusts_a_chain_of_ones_own_below_the_sticky_tmp)
{
    EXPECT_EQ(reason(), "");
}

TEST_F(Distrust, names_a_directory_that_everybody_can_write_sticky_or_not)
{
    set_mode(below, 0777);
    EXPECT_EQ(reason(), "its directory '" + below + "' can be written by every user");
    set_mode(below, 01777);
    EXPECT_EQ(reason(), "its directory '" + below + "' can be written by every user");
}

TEST_F(Distrust, names_a_directory_above_that_everybody_can_write)
{
    set_mode(above, 0777);
    EXPECT_EQ(reason(), "the directory above it '" + above + "' can be written by every user");
}

TEST_F(Distrust, accepts_a_sticky_directory_above)
{
    set_mode(above, 01777);
    EXPECT_EQ(reason(), "");
}

TEST_F(Distrust, names_a_directory_that_a_group_can_write_unless_the_group_is_vouched_for)
{
    give(below, geteuid(), some_group);
    set_mode(below, 0775);
    EXPECT_EQ(reason(), "its directory '" + below + "' can be written by group 65533");
    EXPECT_EQ(reason({.owner = geteuid(), .groups = {some_group}}), "");
}

TEST_F(Distrust, names_the_owner_of_a_foreign_directory)
{
    give(below, somebody, 0);
    EXPECT_NE(reason().find("its directory '" + below + "' belongs to user "), std::string::npos) << reason();
    EXPECT_EQ(reason({.owner = somebody, .groups = {}}), "");
    give(below, 0, 0);
    give(above, somebody, 0);
    EXPECT_NE(reason().find("the directory above it '" + above + "' belongs to user "), std::string::npos) << reason();
}

TEST_F(Distrust, looks_at_the_real_directory_and_not_at_the_path_that_led_there)
{
    set_mode(above, 0777);
    ASSERT_EQ(symlink(below.c_str(), (scratch / "link").c_str()), 0);
    const auto directory = open_following(scratch / "link", {.directory = true, .path_only = true});
    ASSERT_TRUE(directory);
    EXPECT_TRUE(distrust(*directory, {})->has_value());
}

TEST(DistrustOfNothing, is_an_error)
{
    EXPECT_FALSE(distrust(BorrowedFd(-1), {}));
}

}  // namespace
}  // namespace steward::os
