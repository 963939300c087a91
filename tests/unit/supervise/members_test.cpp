#include "supervise/members.hpp"

#include <gmock/gmock.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <cerrno>

#include "os/spawn.hpp"
#include "supervising.hpp"
#include "unit/os/test_child.hpp"

namespace steward::supervise {
namespace {

using test::play;
using test::Program;
using namespace std::chrono_literals;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

std::vector<std::int32_t> pids_of(const Membership& where)
{
    const auto members = find_members(where);
    EXPECT_TRUE(members) << (members ? "" : members.error().message());
    std::vector<std::int32_t> pids;
    if (!members) return pids;
    for (const auto& member : *members) {
        pids.push_back(member.pid);
        EXPECT_TRUE(is_member(where, member.pid) || !test::lives(member)) << "found, and no member: " << member.pid;
    }
    return pids;
}

class Members : public testing::Test {
  protected:
    // Starts a script that writes one PID a line to "$0", and ends a line "up" when all are there.
    std::vector<std::int32_t> told_pids()
    {
        EXPECT_TRUE(test::eventually([&] { return test::content_of(scratch_ / "pids").ends_with("up\n"); }));
        std::ifstream file(scratch_ / "pids");
        std::vector<std::int32_t> pids;
        for (std::int32_t pid = 0; file >> pid;) pids.push_back(pid);
        for (const auto pid : pids) {
            if (auto process = os::ProcessRef::open_pid(pid); process && *process) told_.push_back(std::move(**process));
        }
        return pids;
    }
    [[nodiscard]] process::LaunchPlan script(const std::string& text) const
    {
        return test::plan_of({"/bin/sh", "-c", text, scratch_ / "pids"});
    }
    void TearDown() override
    {
        for (const auto& process : told_) static_cast<void>(process.signal(SIGKILL));
        for (const auto& process : told_) static_cast<void>(process.wait(10s));
        while (auto reaped = os::reap_any()) {
            if (!*reaped) break;
        }
    }
    test::ScratchDirectory scratch_;

  private:
    std::vector<os::ProcessRef> told_;
};

TEST_F(Members, are_the_main_process_and_all_below_it)
{
    const Program other(play({"sleep_forever"}));
    const Program main(
        script("sleep 1000 & echo $! >>$0; setsid sh -c 'echo $$ >>$0; exec sleep 1000' $0 & "
               "until test $(wc -l <$0) -ge 2; do sleep 0.01; done; echo up >>$0; wait"));
    auto expected = told_pids();
    ASSERT_EQ(expected.size(), 2U);
    expected.push_back(main.pid());
    const auto pids = pids_of({.main = &main.process()});
    for (const auto pid : expected) EXPECT_THAT(pids, Contains(pid));
    EXPECT_THAT(pids, Not(Contains(other.pid())));
    EXPECT_THAT(pids, Not(Contains(getpid())));
}

TEST_F(Members, carry_the_start_time_that_proves_them)
{
    const Program main(play({"sleep_forever"}));
    const auto members = find_members({.main = &main.process()});
    ASSERT_TRUE(members);
    ASSERT_EQ(members->size(), 1U);
    EXPECT_EQ(members->front().start_time, main.process().identity().start_time);
}

TEST_F(Members, of_the_session_stay_members_when_the_main_process_has_ended)
{
    Program main(script("sleep 1000 & echo $! >>$0; echo up >>$0"));
    const auto child = told_pids();
    ASSERT_TRUE(test::eventually([&] { return !main.alive(); }));
    EXPECT_THAT(pids_of({.main = &main.process()}), UnorderedElementsAre(child.front())) << "a zombie is no member";
    const auto held = os::ProcessRef::open(main.process().identity());
    ASSERT_TRUE(held && *held);
    static_cast<void>(main.wait());
    EXPECT_THAT(pids_of({.main = &**held}), UnorderedElementsAre(child.front()));
}

// A child with this very number; -1 when somebody else was faster, or it is not allowed.
pid_t fork_as(pid_t pid)
{
    clone_args args{};
    args.exit_signal = SIGCHLD;
    args.set_tid = reinterpret_cast<std::uintptr_t>(&pid);
    args.set_tid_size = 1;
    const long child = syscall(SYS_clone3, &args, sizeof args);
    if (child == 0) {
        setsid();
        test::pause_for_ever();
    }
    return static_cast<pid_t>(child);
}

TEST_F(Members, do_not_include_who_got_the_number_of_the_main_process)
{
    Program main(play({"sleep_forever"}));
    const auto held = os::ProcessRef::open(main.process().identity());
    ASSERT_TRUE(held && *held);
    // Start times count in hundredths of a second: the successor must differ.
    ASSERT_TRUE(test::eventually([&] {
        const Program later(play({"sleep_forever"}));
        return later.process().identity().start_time != (*held)->identity().start_time;
    }));
    kill(main.pid(), SIGKILL);
    static_cast<void>(main.wait());
    const pid_t stranger = fork_as((*held)->pid());
    if (stranger < 0) GTEST_SKIP() << "a process with a given number cannot be made here";
    ASSERT_TRUE(test::eventually([&] { return (*os::read_stat(stranger))->session == stranger; }));
    EXPECT_THAT(pids_of({.main = &**held}), IsEmpty());
    os::abandon(stranger);
}

TEST_F(Members, without_parents_are_found_below_a_subreaper)
{
    ASSERT_TRUE(os::become_subreaper());
    const Program main(play({"double_fork", scratch_ / "pids"}));
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(scratch_ / "pids").empty(); }));
    const std::int32_t lost = std::stoi(test::content_of(scratch_ / "pids"));
    EXPECT_THAT(pids_of({.main = &main.process()}), Not(Contains(lost)));
    EXPECT_THAT(pids_of({.main = &main.process(), .tree_root = getpid()}), UnorderedElementsAre(main.pid(), lost));
    os::abandon(lost);
}

TEST_F(Members, leave_out_those_who_are_named_but_not_what_is_below_them)
{
    const Program main(script("sleep 1000 & echo $! >>$0; echo up >>$0; wait"));
    const auto child = told_pids();
    EXPECT_THAT(pids_of({.tree_root = getpid(), .not_members = {main.pid()}}), UnorderedElementsAre(child.front()));
}

TEST_F(Members, leave_out_strangers_with_all_below_them)
{
    const Program stranger(script("sleep 1000 & echo $! >>$0; echo up >>$0; wait"));
    told_pids();
    const Program main(play({"sleep_forever"}));
    EXPECT_THAT(pids_of({.tree_root = getpid(), .strangers = {stranger.process().identity()}}), UnorderedElementsAre(main.pid()));
}

TEST_F(Members, are_not_taken_for_strangers_of_the_same_number)
{
    const Program main(play({"sleep_forever"}));
    os::ProcessIdentity gone = main.process().identity();
    --gone.start_time;
    EXPECT_THAT(pids_of({.tree_root = getpid(), .strangers = {gone}}), UnorderedElementsAre(main.pid()));
}

TEST_F(Members, include_a_process_whose_first_thread_alone_has_ended)
{
    const test::TestChild main([]() -> int {
        pthread_t other{};
        pthread_create(
            &other, nullptr, [](void*) -> void* { test::pause_for_ever(); }, nullptr);
        syscall(SYS_exit, 0);  // of this thread alone
        return 0;
    });
    ASSERT_TRUE(test::eventually([&] { return (*os::read_stat(main.pid()))->state == 'Z'; }));
    EXPECT_THAT(pids_of({.tree_root = getpid()}), UnorderedElementsAre(main.pid()));
}

TEST_F(Members, of_a_cgroup_are_what_is_in_it_and_nothing_else)
{
    const auto cgroup = os::Cgroup::create("unit-members-" + std::to_string(getpid()));
    if (!cgroup) GTEST_SKIP() << "no cgroups to be made here";
    {
        auto plan = play({"sleep_forever"});
        const Program outside(plan);
        plan.cgroup = cgroup->directory();
        const Program inside(plan);
        EXPECT_THAT(pids_of({.cgroup = &*cgroup, .main = &outside.process(), .tree_root = getpid()}), UnorderedElementsAre(inside.pid()));
    }
    EXPECT_THAT(pids_of({.cgroup = &*cgroup}), IsEmpty());
    EXPECT_TRUE(cgroup->remove());
}

TEST_F(Members, a_stranger_is_none_however_it_is_asked)
{
    const Program main(play({"sleep_forever"}));
    const Program stranger(play({"sleep_forever"}));
    const Membership by_main{.main = &main.process()};
    EXPECT_TRUE(is_member(by_main, main.pid()));
    EXPECT_FALSE(is_member(by_main, stranger.pid()));
    EXPECT_FALSE(is_member(by_main, os::self_pid()));
    const Membership by_tree{.main = &main.process(), .tree_root = os::self_pid(), .strangers = {stranger.process().identity()}};
    EXPECT_TRUE(is_member(by_tree, main.pid()));
    EXPECT_FALSE(is_member(by_tree, stranger.pid()));
    EXPECT_FALSE(is_member(by_tree, os::self_pid()));
    for (const std::int32_t nobody : {-1, 0, 1, 1 << 22}) EXPECT_FALSE(is_member(by_tree, nobody)) << nobody;
}

}  // namespace
}  // namespace steward::supervise
