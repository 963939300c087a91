#include "os/account.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>

namespace steward::os {
namespace {

// A number that is no user's on this host.
std::uint32_t unknown_uid()
{
    std::uint32_t uid = 54321;
    while (getpwuid(uid) != nullptr) ++uid;
    return uid;
}

TEST(FindAccount, knows_root_by_name_and_by_number)
{
    for (const char* user : {"root", "0"}) {
        const auto root = find_account(user);
        ASSERT_TRUE(root);
        EXPECT_EQ(root->name, "root");
        EXPECT_EQ(root->uid, 0U);
        EXPECT_EQ(root->gid, 0U);
        EXPECT_EQ(root->home, "/root");
        EXPECT_FALSE(root->shell.empty());
    }
}

TEST(FindAccount, makes_an_unknown_name_an_error)
{
    const auto found = find_account("no-such-user");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().message(), "cannot find user 'no-such-user': no such user");
}

// CVE-2017-1000082: "0day" was taken for 0, and the service ran as root.
TEST(FindAccount, takes_only_whole_numbers_for_numbers)
{
    for (const char* user : {"0day", "0x0", "+0", "-1", " 0", "0 ", "0\n", "1e3", ""}) EXPECT_FALSE(find_account(user)) << user;
}

TEST(FindAccount, refuses_numbers_that_are_no_ids)
{
    for (const char* user : {"4294967295", "4294967296", "18446744073709551616", "00", "007"}) {
        const auto found = find_account(user);
        ASSERT_FALSE(found) << user;
        EXPECT_EQ(found.error().cause, "not a valid user number");
    }
}

TEST(FindAccount, gives_an_unknown_number_an_account_without_a_name)
{
    const std::uint32_t uid = unknown_uid();
    const auto found = find_account(std::to_string(uid));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "");
    EXPECT_EQ(found->uid, uid);
    EXPECT_EQ(found->gid, uid);
    EXPECT_EQ(found->home, "/");
    EXPECT_EQ(found->shell, "/bin/sh");
    EXPECT_EQ(account_of(4294967294)->uid, 4294967294U);
}

TEST(FindGroup, knows_names_and_numbers)
{
    EXPECT_EQ(find_group("root").value(), 0U);
    EXPECT_EQ(find_group("0").value(), 0U);
    EXPECT_EQ(find_group("54321").value(), 54321U);
}

TEST(FindGroup, refuses_what_is_neither)
{
    EXPECT_EQ(find_group("no-such-group").error().message(), "cannot find group 'no-such-group': no such group");
    EXPECT_EQ(find_group("4294967295").error().cause, "not a valid group number");
    for (const char* group : {"", "0day", "-1", "007"}) EXPECT_FALSE(find_group(group)) << group;
}

TEST(GroupsOf, start_with_the_primary_one)
{
    EXPECT_THAT(groups_of(find_account("root").value(), 4242).value(), testing::Contains(4242U));
}

TEST(GroupsOf, an_account_without_a_name_are_the_primary_alone)
{
    EXPECT_EQ(groups_of(Account{.uid = unknown_uid()}, 7).value(), std::vector<std::uint32_t>{7});
}

}  // namespace
}  // namespace steward::os
