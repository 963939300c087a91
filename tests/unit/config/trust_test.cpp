#include "config/trust.hpp"

#include <gtest/gtest.h>

namespace steward::config {
namespace {

os::FileInfo file_of(std::uint32_t uid, unsigned mode)
{
    os::FileInfo info;
    info.uid = uid;
    info.mode = mode;
    return info;
}

TEST(Trust, a_file_of_root_or_the_caller_that_nobody_else_writes_is_believed)
{
    EXPECT_EQ(distrust(file_of(0, 0644), 0), std::nullopt);
    EXPECT_EQ(distrust(file_of(0, 0600), 1000), std::nullopt);
    EXPECT_EQ(distrust(file_of(1000, 0644), 1000), std::nullopt);
}

TEST(Trust, a_file_that_others_own_or_write_is_not)
{
    EXPECT_EQ(distrust(file_of(1000, 0644), 0), "belongs to another user (uid 1000)");
    EXPECT_EQ(distrust(file_of(1001, 0644), 1000), "belongs to another user (uid 1001)");
    EXPECT_EQ(distrust(file_of(0, 0664), 0), "can be written by other users");
    EXPECT_EQ(distrust(file_of(0, 0646), 0), "can be written by other users");
}

TEST(Trust, a_place_that_does_not_exist_is_an_error)
{
    EXPECT_FALSE(distrust_place("/nonexistent/steward/web.toml", 0));
}

}  // namespace
}  // namespace steward::config
