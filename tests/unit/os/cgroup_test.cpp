#include "os/cgroup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "helpers/in_child.hpp"
#include "os/cgroup_tree.hpp"
#include "os/event_loop.hpp"
#include "os/spawn.hpp"
#include "test_child.hpp"

namespace steward::os {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// A group of the test's own; its processes are killed and it is removed with the object.
class OwnGroup {
  public:
    explicit OwnGroup(const std::string& suffix = "")
        : name("steward-test-" + std::to_string(getpid()) + suffix), group(Cgroup::create(name))
    {
    }
    ~OwnGroup()
    {
        if (!group) return;
        (void)group->kill();
        wait_until_empty();
        (void)group->remove();
    }
    // Bounded: an uninterruptible process must not hang the tests.
    void wait_until_empty() const
    {
        auto loop = EventLoop::create();
        const auto events = group->events();
        if (!loop || !events) return;
        const auto look = [&] {
            if (group->populated() != true) loop->quit();
        };
        loop->after(std::chrono::seconds(10), [&] { loop->quit(); });
        if (loop->on_priority(*events, look)) (void)loop->run();
    }

    std::string name;
    std::optional<Cgroup> group;
};

class CgroupTest : public testing::Test {
  protected:
    void SetUp() override
    {
        if (!own.group) GTEST_SKIP() << "no cgroups to be made here";
    }
    [[nodiscard]] const Cgroup& group() const { return *own.group; }
    OwnGroup own;
};

int sleeper()
{
    test::pause_for_ever();
}

int ignore_all()
{
    ::signal(SIGTERM, SIG_IGN);
    ::setsid();
    test::pause_for_ever();
}

TEST_F(CgroupTest, is_made_empty_below_steward)
{
    EXPECT_THAT(group().path(), testing::EndsWith("/steward/" + own.name));
    EXPECT_EQ(group().populated(), false);
    const auto processes = group().processes();
    ASSERT_TRUE(processes);
    EXPECT_THAT(*processes, IsEmpty());
}

TEST_F(CgroupTest, holds_what_is_put_into_it_and_what_that_makes)
{
    const test::Meeting go;
    const test::Meeting born;
    const test::TestChild child([&]() -> int {
        go.hear();
        const pid_t grandchild = ::fork();
        if (grandchild == 0) ignore_all();
        born.tell(grandchild);
        test::pause_for_ever();
    });
    ASSERT_TRUE(group().add(child.pid()));
    go.tell();
    const std::int32_t grandchild = born.hear();
    EXPECT_EQ(group().populated(), true);
    const auto processes = group().processes();
    ASSERT_TRUE(processes);
    EXPECT_THAT(*processes, UnorderedElementsAre(child.pid(), grandchild));
}

TEST_F(CgroupTest, a_child_is_born_in_it)
{
    const auto born = spawn([](void*) noexcept { return sleeper(); }, nullptr, {.cgroup = group().directory()});
    ASSERT_TRUE(born);
    if (!born->in_cgroup) {
        ASSERT_TRUE(group().add(born->child.pid));
    }
    const auto processes = group().processes();
    ::kill(born->child.pid, SIGKILL);
    ::waitpid(born->child.pid, nullptr, 0);
    ASSERT_TRUE(processes);
    EXPECT_THAT(*processes, Contains(born->child.pid));
}

TEST_F(CgroupTest, processes_of_groups_below_count)
{
    const std::string below = group().path() + "/below";
    ASSERT_EQ(::mkdir(below.c_str(), 0755), 0);
    const test::TestChild child(sleeper);
    std::ofstream(below + "/cgroup.procs") << child.pid() << std::flush;
    const auto processes = group().processes();
    ASSERT_TRUE(processes);
    EXPECT_THAT(*processes, UnorderedElementsAre(child.pid()));
    EXPECT_EQ(group().populated(), true);
}

TEST_F(CgroupTest, kill_ends_even_those_that_left_the_session)
{
    test::TestChild child(ignore_all);
    ASSERT_TRUE(group().add(child.pid()));
    ASSERT_TRUE(group().kill());
    EXPECT_EQ(WTERMSIG(child.reap()), SIGKILL);
    own.wait_until_empty();
    EXPECT_EQ(group().populated(), false);
}

// Each makes another, and so on, as long as it lives.
int breed(int generations)
{
    while (generations-- > 0 && ::fork() == 0) {
    }
    test::pause_for_ever();
}

TEST_F(CgroupTest, without_cgroup_kill_every_member_is_signalled_until_none_is_left)
{
    const test::Meeting go;
    const test::TestChild child([&] {
        go.hear();
        return breed(150);  // more than are held at once, and born while the killing goes on
    });
    const test::TestChild bystander(sleeper);
    ASSERT_TRUE(group().add(child.pid()));
    go.tell();
    EXPECT_EQ(cgroup_tree::kill_members(group().directory()), 0);
    own.wait_until_empty();
    EXPECT_EQ(group().populated(), false);
    const auto process = ProcessRef::open_pid(bystander.pid());
    ASSERT_TRUE(process && *process);
    EXPECT_EQ((*process)->liveness(), Liveness::alive);
}

TEST_F(CgroupTest, the_loop_tells_when_the_last_process_has_gone)
{
    test::TestChild child(sleeper);
    ASSERT_TRUE(group().add(child.pid()));
    auto loop = EventLoop::create();
    const auto events = group().events();
    ASSERT_TRUE(loop && events);
    bool emptied = false;
    loop->after(std::chrono::seconds(30), [&] { loop->quit(); });
    ASSERT_TRUE(loop->on_priority(*events, [&] {
        emptied = group().populated() == false;
        if (emptied) loop->quit();
    }));
    ASSERT_TRUE(loop->run_once(milliseconds(0)));
    EXPECT_FALSE(emptied);
    ::kill(child.pid(), SIGKILL);
    ASSERT_TRUE(loop->run());
    EXPECT_TRUE(emptied);
}

TEST_F(CgroupTest, an_unchanged_group_does_not_keep_the_loop_awake)
{
    auto loop = EventLoop::create();
    const auto events = group().events();
    ASSERT_TRUE(loop && events);
    int calls = 0;
    ASSERT_TRUE(loop->on_priority(*events, [&] { ++calls; }));
    for (int round = 0; round < 5; ++round) ASSERT_TRUE(loop->run_once(milliseconds(1)));
    EXPECT_LE(calls, 1);
}

TEST_F(CgroupTest, one_that_was_killed_and_is_empty_is_made_anew_and_what_is_born_in_it_lives)
{
    ASSERT_TRUE(group().kill());
    const auto again = Cgroup::create(own.name);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->path(), group().path());
    const auto born = spawn([](void*) noexcept { return 5; }, nullptr, {.cgroup = again->directory()});
    ASSERT_TRUE(born);
    const auto ended = reap_blocking(born->child.pid);
    ASSERT_TRUE(ended);
    EXPECT_EQ(to_string(ended->status), "exit code 5");
}

TEST_F(CgroupTest, one_that_holds_processes_is_not_shared)
{
    const test::TestChild child(sleeper);
    ASSERT_TRUE(group().add(child.pid()));
    const auto other = Cgroup::create(own.name);
    ASSERT_TRUE(other);
    EXPECT_EQ(other->path(), group().path() + "~2");
    EXPECT_EQ(other->populated(), false);
    EXPECT_TRUE(other->remove());
}

TEST_F(CgroupTest, is_found_again_by_its_path)
{
    const auto again = Cgroup::open(group().path());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->path(), group().path());
    EXPECT_EQ(again->populated(), false);
}

TEST_F(CgroupTest, remove_takes_what_the_service_made_below)
{
    std::filesystem::create_directories(group().path() + "/one/two");
    EXPECT_TRUE(group().remove());
    EXPECT_FALSE(std::filesystem::exists(group().path()));
    EXPECT_TRUE(group().remove()) << "it has gone";
    EXPECT_EQ(group().populated(), false);
    EXPECT_FALSE(Cgroup::open(group().path()));
    EXPECT_TRUE(group().kill());
}

TEST_F(CgroupTest, remove_refuses_while_a_process_is_left)
{
    const test::TestChild child(sleeper);
    ASSERT_TRUE(group().add(child.pid()));
    const auto removed = group().remove();
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().os_errno, EBUSY);
}

TEST_F(CgroupTest, add_of_nobody_is_an_error)
{
    const auto added = group().add(1 << 22);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().os_errno, ESRCH);
}

TEST(CgroupNames, that_could_lead_elsewhere_are_refused)
{
    for (const char* name : {"", ".", "..", "a/b", "../x", "/", "cgroup.procs"}) EXPECT_FALSE(Cgroup::create(name)) << name;
}

TEST(CgroupPaths, that_are_not_steward_s_are_refused)
{
    for (const char* path : {"", "/", "/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/steward/", "/tmp",
                             "/sys/fs/cgroup/unified/steward/..", "/sys/fs/cgroup/unified/steward/../x", "/tmp/steward/x"}) {
        EXPECT_FALSE(Cgroup::open(path)) << path;
    }
}

TEST(CgroupRights, who_may_not_make_groups_gets_none)
{
    if (getuid() != 0) GTEST_SKIP() << "needs root to drop its rights";
    EXPECT_EQ(test::in_child([] {
                  if (!test::become_nobody()) return 1;
                  return Cgroup::create("steward-test-" + std::to_string(getpid())) ? 2 : 0;
              }),
              0);
}

}  // namespace
}  // namespace steward::os
