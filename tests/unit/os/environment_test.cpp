#include "os/environment.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <cstdlib>

namespace steward::os {
namespace {

TEST(Environment, tells_unset_from_empty)
{
    setenv("STEWARD_TEST_EMPTY", "", 1);
    EXPECT_EQ(environment_variable("STEWARD_TEST_EMPTY"), "");
    unsetenv("STEWARD_TEST_EMPTY");
    EXPECT_EQ(environment_variable("STEWARD_TEST_EMPTY"), std::nullopt);
}

TEST(Environment, is_told_whole_in_order_and_without_malformed_entries)
{
    char plain[] = "A=1";
    char with_equals[] = "B=x=y";
    char empty[] = "C=";
    char malformed[] = "no equals sign";
    char nameless[] = "=value";
    char* entries[] = {plain, malformed, with_equals, nameless, empty, nullptr};
    char** const real = environ;
    environ = entries;
    const auto told = whole_environment();
    environ = nullptr;
    const auto none = whole_environment();
    environ = real;
    EXPECT_EQ(told, (std::vector<std::pair<std::string, std::string>>{{"A", "1"}, {"B", "x=y"}, {"C", ""}}));
    EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace steward::os
