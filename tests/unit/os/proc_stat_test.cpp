#include "os/proc_stat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <algorithm>

#include "helpers/in_child.hpp"
#include "os/process.hpp"
#include "test_child.hpp"

namespace steward::os {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string after_name =
    " S 10 20 30 34816 -1 4194560 100 200 0 0 7 5 3 2 20 0 4 0 123456 1000 250 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0\n";

TEST(ParseStat, takes_the_fields_by_their_places)
{
    const auto stat = parse_stat("42 (web)" + after_name);
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->pid, 42);
    EXPECT_EQ(stat->command, "web");
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->parent, 10);
    EXPECT_EQ(stat->group, 20);
    EXPECT_EQ(stat->session, 30);
    EXPECT_EQ(stat->cpu_ticks, 17U);
    EXPECT_EQ(stat->tasks, 4U);
    EXPECT_EQ(stat->start_time, 123456U);
}

TEST(ParseStat, is_not_misled_by_a_hostile_name)
{
    for (const std::string name : {"a) Z 1 1 1", "(((", ")))", " ", "", "x\n9 (y) R 1", "1 (2) Z"}) {
        const auto stat = parse_stat("42 (" + name + ")" + after_name);
        ASSERT_TRUE(stat) << name;
        EXPECT_EQ(stat->command, name);
        EXPECT_EQ(stat->state, 'S');
        EXPECT_EQ(stat->parent, 10);
    }
}

TEST(ParseStat, refuses_what_is_no_such_line)
{
    const std::vector<std::string> lines{"",
                                         "42",
                                         "42 (web",
                                         "42 web) S 1",
                                         "(web) S 1",
                                         " (web)",
                                         "x (web)" + after_name,
                                         "-1 (web)" + after_name,
                                         "0 (web)" + after_name,
                                         "42 (web) S 10 20 30",
                                         "42(web)" + after_name,
                                         "42 (web) S a b c d e f g h i j k l m n o p q r s"};
    for (const std::string& line : lines) {
        EXPECT_FALSE(parse_stat(line)) << line;
    }
}

TEST(ReadStat, tells_of_a_process_under_a_hostile_name)
{
    const test::Meeting named;
    const test::TestChild child([&]() -> int {
        prctl(PR_SET_NAME, "a) Z 1 (b");
        named.tell();
        test::pause_for_ever();
    });
    named.hear();
    const auto stat = read_stat(child.pid());
    ASSERT_TRUE(stat && *stat);
    EXPECT_EQ((*stat)->command, "a) Z 1 (b");
    EXPECT_EQ((*stat)->parent, getpid());
    EXPECT_EQ((*stat)->group, getpgrp());
    EXPECT_EQ((*stat)->tasks, 1U);
}

TEST(ReadStat, of_nobody_is_unset)
{
    for (const std::int32_t pid : {1 << 22, 0, -1}) {
        const auto stat = read_stat(pid);
        ASSERT_TRUE(stat) << stat.error().message();
        EXPECT_FALSE(stat->has_value());
    }
}

TEST(AllProcesses, holds_each_process_once_zombies_too)
{
    const test::TestChild zombie([] { return 0; });
    zombie.wait_for_end();
    const auto all = all_processes();
    ASSERT_TRUE(all);
    const auto count = [&](std::int32_t pid) { return std::ranges::count(*all, pid, &ProcessStat::pid); };
    EXPECT_EQ(count(getpid()), 1);
    EXPECT_EQ(count(zombie.pid()), 1);
    EXPECT_EQ(std::ranges::find(*all, zombie.pid(), &ProcessStat::pid)->state, 'Z');
}

TEST(Ancestors, begin_with_the_parent_and_end_with_the_first)
{
    const auto found = ancestors();
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.front().pid, getppid());
    EXPECT_EQ(found.back().parent, 0);
}

ProcessStat process(std::int32_t pid, std::int32_t parent)
{
    ProcessStat stat;
    stat.pid = pid;
    stat.parent = parent;
    return stat;
}

std::vector<std::int32_t> pids_below(const std::vector<ProcessStat>& all, std::int32_t root)
{
    std::vector<std::int32_t> pids;
    for (const ProcessStat& stat : descendants(all, root)) pids.push_back(stat.pid);
    return pids;
}

TEST(Descendants, are_children_and_theirs_without_the_root_and_strangers)
{
    const std::vector all{process(1, 0), process(9, 5), process(5, 2), process(2, 1), process(3, 1), process(6, 2), process(7, 3)};
    EXPECT_THAT(pids_below(all, 2), ElementsAre(5, 6, 9));
    EXPECT_THAT(pids_below(all, 9), IsEmpty());
    EXPECT_THAT(pids_below(all, 4711), IsEmpty());
    EXPECT_THAT(pids_below({}, 1), IsEmpty());
}

TEST(Descendants, end_in_a_circle_that_a_reused_number_closed)
{
    const std::vector all{process(2, 4), process(3, 2), process(4, 3), process(5, 5)};
    EXPECT_THAT(pids_below(all, 2), ElementsAre(3, 4));
    EXPECT_THAT(pids_below(all, 5), IsEmpty());
}

TEST(OwnStartTime, is_what_proc_says)
{
    const auto stat = read_stat(getpid());
    ASSERT_TRUE(stat && *stat);
    EXPECT_EQ(read_own_start_time(), (*stat)->start_time);
}

}  // namespace
}  // namespace steward::os
