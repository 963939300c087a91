#include "os/cgroup_limits.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "helpers/scratch.hpp"
#include "os/cgroup.hpp"

namespace steward::os::cgroup_limits {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::Optional;
using testing::StrEq;

// Directories with files as the kernel's cgroups have them, which do nothing.
class FakeGroups : public testing::Test {
  protected:
    void SetUp() override
    {
        for (const char* group : {"", "steward", "steward/web"}) {
            std::filesystem::create_directories(scratch_ / group);
            write(group, "cgroup.subtree_control", "");
        }
        place_ = open("");
        parent_ = open("steward");
        group_ = open("steward/web");
    }
    [[nodiscard]] UniqueFd open(const std::string& group) const
    {
        return UniqueFd(::open((scratch_ / group).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    void write(const std::string& group, const std::string& file, const std::string& text) const
    {
        std::ofstream(scratch_ / group + "/" + file) << text;
    }
    [[nodiscard]] std::string read(const std::string& group, const std::string& file) const
    {
        return test::content_of(scratch_ / group + "/" + file);
    }
    [[nodiscard]] Above above() const { return {.place = place_, .parent = parent_}; }

    test::ScratchDirectory scratch_;
    UniqueFd place_;
    UniqueFd parent_;
    UniqueFd group_;
};

TEST(CgroupSettings, are_lines_for_the_files_of_their_controllers)
{
    EXPECT_THAT(settings({.memory = 1U << 20U, .cpu = 150, .tasks = 10}),
                ElementsAre(FieldsAre(StrEq("memory"), StrEq("memory.max"), "1048576", StrEq("memory")),
                            FieldsAre(StrEq("cpu"), StrEq("cpu.max"), "150000 100000", StrEq("cpu")),
                            FieldsAre(StrEq("pids"), StrEq("pids.max"), "10", StrEq("tasks"))));
    EXPECT_TRUE(settings({}).empty());
    EXPECT_EQ(settings({.cpu = 1'000'000}).front().value, "1000000000 100000");
}

TEST_F(FakeGroups, a_limit_is_set_below_groups_that_hand_its_controller_down)
{
    write("steward/web", "pids.max", "");
    const auto tasks = settings({.tasks = 10}).front();
    EXPECT_EQ(hand_down(above(), tasks), 0);
    EXPECT_EQ(set(group_, tasks), 0);
    EXPECT_EQ(read("", "cgroup.subtree_control"), "+pids");
    EXPECT_EQ(read("steward", "cgroup.subtree_control"), "+pids");
    EXPECT_EQ(read("steward/web", "cgroup.subtree_control"), "") << "the service's own";
    EXPECT_EQ(read("steward/web", "pids.max"), "10");
}

TEST_F(FakeGroups, a_group_without_the_controllers_file_is_told)
{
    EXPECT_EQ(set(group_, settings({.memory = 1}).front()), ENOENT);
    std::filesystem::remove(scratch_ / "steward/cgroup.subtree_control");
    EXPECT_EQ(hand_down(above(), settings({.memory = 1}).front()), ENOENT);
}

TEST_F(FakeGroups, what_is_used_is_read_from_its_files)
{
    write("steward/web", "memory.current", "4096\n");
    write("steward/web", "memory.peak", "8192\n");
    write("steward/web", "memory.max", "1048576\n");
    write("steward/web", "memory.events", "low 0\nhigh 0\nmax 8\noom 4\noom_kill 3\noom_group_kill 9\n");
    write("steward/web", "pids.max", "20\n");
    write("steward/web", "cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n");
    const CgroupUsage used = usage(group_);
    EXPECT_THAT(used.memory, Optional(4096U));
    EXPECT_THAT(used.memory_peak, Optional(8192U));
    EXPECT_THAT(used.memory_limit, Optional(1048576U));
    EXPECT_EQ(used.memory_kills, 3U);
    EXPECT_THAT(used.tasks_limit, Optional(20U));
    EXPECT_EQ(used.cpu, std::chrono::microseconds(1500));
}

TEST_F(FakeGroups, no_limit_and_no_file_are_nothing)
{
    write("steward/web", "memory.max", "max\n");
    write("steward/web", "pids.max", "");
    write("steward/web", "memory.events", "oom_kill many\n");
    const CgroupUsage used = usage(group_);
    EXPECT_FALSE(used.memory || used.memory_peak || used.memory_limit || used.tasks_limit || used.cpu);
    EXPECT_EQ(used.memory_kills, 0U);
}

TEST_F(FakeGroups, a_controller_is_a_whole_word)
{
    EXPECT_FALSE(has_controller(place_, "cpu"));
    write("", "cgroup.controllers", "cpuset memory pids\n");
    EXPECT_FALSE(has_controller(place_, "cpu"));
    EXPECT_TRUE(has_controller(place_, "cpuset"));
    EXPECT_TRUE(has_controller(place_, "pids"));
}

TEST(CgroupLimit, no_limit_can_be_held_anywhere)
{
    EXPECT_TRUE(Cgroup::can_limit({}));
}

}  // namespace
}  // namespace steward::os::cgroup_limits
