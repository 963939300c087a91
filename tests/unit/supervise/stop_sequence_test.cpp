#include "supervise/stop_sequence.hpp"

#include <gmock/gmock.h>

#include <cerrno>

#include "helpers/in_child.hpp"
#include "os/spawn.hpp"
#include "supervising.hpp"
#include "unit/os/test_child.hpp"

namespace steward::supervise {
namespace {

using namespace std::chrono_literals;
using test::play;
using test::Program;
using test::shell;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

ServiceSpec::Stop rules(Duration timeout = 1h, StopMode mode = StopMode::group)
{
    ServiceSpec::Stop stop;
    stop.timeout = timeout;
    stop.mode = mode;
    return stop;
}

class Stop : public test::Looping {
  protected:
    // The sequence of a service whose members are `main` and what belongs to it.
    StopSequence& sequence(StopSequence::Plan plan, const Program& main)
    {
        where_ = {.main = &main.process()};
        return sequence(std::move(plan), &main.process(), [this] { return find_members(where_); });
    }
    StopSequence& sequence(StopSequence::Plan plan, const os::ProcessRef* main, StopSequence::FindMembers find)
    {
        sequence_ = std::make_unique<StopSequence>(*loop_, std::move(plan), main, std::move(find), [this](const StopReport& report) {
            report_ = report;
            sequence_.reset();
        });
        return *sequence_;
    }
    // Runs it to its end.
    const StopReport& finish()
    {
        EXPECT_TRUE(run_until([this] { return report_.has_value(); }));
        if (!report_) report_ = StopReport{.error = Error{.cause = "the sequence has not ended"}};
        return *report_;
    }
    const StopReport& run(StopSequence::Plan plan, const Program& main)
    {
        sequence(std::move(plan), main).begin();
        return finish();
    }

    // A program that says when it is ready for signals, and which.
    [[nodiscard]] process::LaunchPlan ready(const std::string& before, const std::string& after = "while :; do sleep 0.01; done") const
    {
        return test::plan_of({"/bin/sh", "-c", before + "; echo up >>$0; " + after, scratch_ / "said"});
    }
    void wait_until_up(int lines = 1) const
    {
        const auto up = [&] {
            const std::string said = test::content_of(scratch_ / "said");
            int found = 0;
            for (auto at = said.find("up\n"); at != std::string::npos; at = said.find("up\n", at + 1)) ++found;
            return found >= lines;
        };
        ASSERT_TRUE(test::eventually(up));
    }

    Membership where_;
    std::unique_ptr<StopSequence> sequence_;
    std::optional<StopReport> report_;
};

TEST_F(Stop, is_over_when_the_signal_is_obeyed)
{
    Program main(play({"sleep_forever"}));
    const auto& report = run({.rules = rules()}, main);
    EXPECT_TRUE(report.service_is_over());
    EXPECT_FALSE(report.killed);
    EXPECT_EQ(main.wait().code, SIGTERM);
}

TEST_F(Stop, sends_the_signal_that_is_written)
{
    Program main(play({"sleep_forever"}));
    auto quit = rules();
    quit.signal = SIGQUIT;
    run({.rules = quit}, main);
    EXPECT_EQ(main.wait().code, SIGQUIT);
}

TEST_F(Stop, escalates_to_kill_after_the_timeout)
{
    Program main(ready("trap '' TERM"));
    wait_until_up();
    const auto begin = os::MonotonicClock::now();
    const auto& report = run({.rules = rules(100ms)}, main);
    EXPECT_GE(os::MonotonicClock::now() - begin, 100ms);
    EXPECT_TRUE(report.service_is_over());
    EXPECT_TRUE(report.killed);
    EXPECT_EQ(main.wait().code, SIGKILL);
}

TEST_F(Stop, continues_a_process_that_stands_still)
{
    Program main(play({"sleep_forever"}));
    kill(main.pid(), SIGSTOP);
    ASSERT_TRUE(test::eventually([&] { return (*os::read_stat(main.pid()))->state == 'T'; }));
    EXPECT_FALSE(run({.rules = rules()}, main).killed);
    EXPECT_EQ(main.wait().code, SIGTERM);
}

constexpr const char* family =
    "sh -c \"trap 'echo child >>$0; exit' TERM; echo up >>$0; while :; do sleep 0.01; done\" $0 & "
    "trap 'echo main >>$0; exit' TERM";

TEST_F(Stop, in_group_mode_asks_every_member)
{
    const Program main(ready(family));
    wait_until_up(2);
    EXPECT_FALSE(run({.rules = rules()}, main).killed);
    EXPECT_THAT(test::content_of(scratch_ / "said"), testing::AllOf(HasSubstr("main"), HasSubstr("child")));
    EXPECT_THAT(find_members(where_).value(), IsEmpty());
}

TEST_F(Stop, in_mixed_mode_asks_the_main_process_and_kills_the_others)
{
    const Program main(ready(family));
    wait_until_up(2);
    const auto& report = run({.rules = rules(1h, StopMode::mixed)}, main);
    EXPECT_TRUE(report.service_is_over());
    EXPECT_FALSE(report.killed) << "the time-out has not passed";
    const auto said = test::content_of(scratch_ / "said");
    EXPECT_THAT(said, HasSubstr("main"));
    EXPECT_THAT(said, testing::Not(HasSubstr("child")));
    EXPECT_THAT(find_members(where_).value(), IsEmpty());
}

TEST_F(Stop, in_mixed_mode_kills_all_after_the_timeout)
{
    const Program main(ready("trap '' TERM"));
    wait_until_up();
    const auto& report = run({.rules = rules(100ms, StopMode::mixed)}, main);
    EXPECT_TRUE(report.service_is_over());
    EXPECT_TRUE(report.killed);
    EXPECT_THAT(find_members(where_).value(), IsEmpty());
}

TEST_F(Stop, in_main_mode_leaves_the_others)
{
    const Program main(ready(family));
    wait_until_up(2);
    EXPECT_TRUE(run({.rules = rules(1h, StopMode::main)}, main).service_is_over());
    EXPECT_FALSE(main.alive());
    const auto members = find_members(where_).value();
    ASSERT_THAT(members, SizeIs(testing::Ge(1U)));
    for (const auto& member : members) kill(member.pid, SIGKILL);
}

TEST_F(Stop, in_main_mode_kills_the_main_process_after_the_timeout)
{
    Program main(play({"ignore_term"}));
    ASSERT_TRUE(test::eventually([&] { return (*os::read_stat(main.pid()))->state == 'S'; }));
    const auto& report = run({.rules = rules(100ms, StopMode::main)}, main);
    EXPECT_TRUE(report.service_is_over());
    EXPECT_TRUE(report.killed);
}

TEST_F(Stop, ends_children_that_were_forked_while_it_went_on)
{
    // The child is made when the signal comes, and ignores it.
    const Program main(ready("trap \"sh -c 'trap \\\"\\\" TERM; sleep 1000' & exit\" TERM"));
    wait_until_up();
    EXPECT_TRUE(run({.rules = rules(300ms)}, main).service_is_over());
    EXPECT_THAT(find_members(where_).value(), IsEmpty());
}

TEST_F(Stop, ends_what_has_fled_below_a_subreaper)
{
    ASSERT_TRUE(os::become_subreaper());
    const Program main(play({"double_fork", scratch_ / "fled"}));
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(scratch_ / "fled").empty(); }));
    const std::int32_t fled = std::stoi(test::content_of(scratch_ / "fled"));
    where_ = {.main = &main.process(), .tree_root = getpid()};
    sequence({.rules = rules()}, &main.process(), [this] { return find_members(where_); }).begin();
    EXPECT_TRUE(finish().service_is_over());
    EXPECT_FALSE(test::lives(fled));
    EXPECT_FALSE(main.alive());
    static_cast<void>(os::reap_blocking(fled));
}

TEST_F(Stop, runs_the_command_and_waits_for_what_it_brings_about)
{
    Program main(ready("trap 'echo asked >>$0; exit 0' USR1; trap 'echo signalled >>$0' TERM"));
    wait_until_up();
    const auto& report = run({.rules = rules(), .command = shell("kill -USR1 " + std::to_string(main.pid()))}, main);
    EXPECT_TRUE(report.service_is_over());
    EXPECT_EQ(test::content_of(scratch_ / "said"), "up\nasked\n");
}

TEST_F(Stop, asks_the_others_when_the_command_has_ended_the_main_process)
{
    const Program main(ready("sleep 1000 & trap 'exit 0' USR1"));
    wait_until_up();
    EXPECT_FALSE(run({.rules = rules(), .command = shell("kill -USR1 " + std::to_string(main.pid()))}, main).killed);
    EXPECT_THAT(find_members(where_).value(), IsEmpty());
}

TEST_F(Stop, signals_when_the_command_fails)
{
    Program main(play({"sleep_forever"}));
    const auto& report = run({.rules = rules(), .command = play({"exit_with", "1"})}, main);
    EXPECT_TRUE(report.service_is_over());
    EXPECT_EQ(main.wait().code, SIGTERM);
}

TEST_F(Stop, signals_when_the_command_cannot_be_started)
{
    Program main(play({"sleep_forever"}));
    EXPECT_TRUE(run({.rules = rules(), .command = test::plan_of({"/no/such/program"})}, main).service_is_over());
    EXPECT_EQ(main.wait().code, SIGTERM);
}

TEST_F(Stop, kills_when_the_command_does_not_end_in_time)
{
    Program main(play({"sleep_forever"}));
    const auto& report = run({.rules = rules(200ms), .command = play({"sleep_forever"})}, main);
    EXPECT_TRUE(report.service_is_over());
    EXPECT_TRUE(report.killed);
    EXPECT_EQ(main.wait().code, SIGKILL);
    while (auto reaped = os::reap_any()) {
        if (!*reaped) break;
    }
}

TEST_F(Stop, kills_when_the_command_succeeds_and_nothing_comes_of_it)
{
    Program main(play({"sleep_forever"}));
    const auto& report = run({.rules = rules(200ms), .command = play({"exit_with", "0"})}, main);
    EXPECT_TRUE(report.killed);
    EXPECT_EQ(main.wait().code, SIGKILL);
}

TEST_F(Stop, that_is_hurried_kills_at_once)
{
    Program main(ready("trap '' TERM"));
    wait_until_up();
    auto& stop = sequence({.rules = rules()}, main);
    stop.begin();
    stop.hurry();
    EXPECT_TRUE(finish().killed);
    EXPECT_EQ(main.wait().code, SIGKILL);
}

TEST_F(Stop, that_is_hurried_during_its_command_kills_that_too)
{
    Program main(play({"sleep_forever"}));
    auto& stop =
        sequence({.rules = rules(), .command = test::plan_of({"/bin/sh", "-c", "echo $$ >$0; exec sleep 1000", scratch_ / "pid"})}, main);
    stop.begin();
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(scratch_ / "pid").empty(); }));
    const std::int32_t command = std::stoi(test::content_of(scratch_ / "pid"));
    stop.hurry();
    EXPECT_TRUE(finish().killed);
    EXPECT_FALSE(test::lives(command)) << "it is gone when the stop is over, and not a little later";
    static_cast<void>(os::reap_blocking(command));
}

TEST_F(Stop, of_leftovers_kills_at_once_and_calls_that_no_killing)
{
    Program main(ready("trap '' TERM"));
    wait_until_up();
    const auto& report = run({.rules = rules(), .kill_at_once = true}, main);
    EXPECT_TRUE(report.service_is_over());
    EXPECT_FALSE(report.killed);
    EXPECT_EQ(main.wait().code, SIGKILL);
}

TEST_F(Stop, of_nobody_is_over_at_once_in_every_mode)
{
    for (const auto mode : {StopMode::group, StopMode::mixed, StopMode::main}) {
        report_.reset();
        sequence({.rules = rules(1h, mode)}, nullptr, [] { return std::vector<os::ProcessIdentity>(); }).begin();
        EXPECT_FALSE(report_) << "told from the loop, never from begin()";
        EXPECT_TRUE(finish().service_is_over());
    }
}

TEST_F(Stop, reports_who_survived)
{
    // Somebody who is always there and cannot be held: nobody else is signalled for it.
    os::ProcessIdentity survivor = os::self_identity();
    --survivor.start_time;
    survivor.pidfs_inode = 0;
    sequence({.rules = rules(10ms), .kill_timeout = 50ms}, nullptr, [&] { return std::vector{survivor}; }).begin();
    const auto& report = finish();
    EXPECT_FALSE(report.service_is_over());
    EXPECT_TRUE(report.killed);
    ASSERT_THAT(report.survivors, SizeIs(1));
    const Error error = stop_error("web", report);
    EXPECT_EQ(error.code, ErrorCode::survivors);
    EXPECT_EQ(error.message(), "cannot stop web: 1 process survived SIGKILL");
    ASSERT_THAT(error.detail, SizeIs(1));
    EXPECT_THAT(error.detail.front(), HasSubstr("PID " + std::to_string(getpid()) + " (unit-supervise)"));
}

TEST_F(Stop, whose_members_cannot_be_told_is_an_error)
{
    sequence({.rules = rules()}, nullptr, []() -> Result<std::vector<os::ProcessIdentity>> {
        return fail(Error{.code = ErrorCode::undeterminable, .operation = "list", .object = "the processes", .cause = "no /proc"});
    }).begin();
    const auto& report = finish();
    EXPECT_FALSE(report.service_is_over());
    EXPECT_EQ(stop_error("web", report).code, ErrorCode::undeterminable);
}

TEST_F(Stop, whose_last_look_fails_is_no_success)
{
    os::ProcessIdentity survivor = os::self_identity();
    --survivor.start_time;
    bool blind = false;
    sequence({.rules = rules(10ms), .kill_timeout = 50ms}, nullptr, [&]() -> Result<std::vector<os::ProcessIdentity>> {
        if (blind) return fail(Error{.code = ErrorCode::undeterminable, .operation = {}, .object = {}, .cause = "no /proc"});
        return std::vector{survivor};
    }).begin();
    loop_->after(30ms, [&] { blind = true; });
    EXPECT_FALSE(finish().service_is_over());
}

// In a process that is nobody: 0 when the report is as expected.
TEST_F(Stop, of_somebody_elses_process_says_that_it_is_not_permitted)
{
    if (getuid() != 0) GTEST_SKIP() << "needs root";
    const Program main(play({"sleep_forever"}));
    const int code = test::in_child([&] {
        auto loop = os::EventLoop::create();
        if (!loop || !test::become_nobody()) return 2;
        const auto report = stop_members({.rules = rules(10ms), .kill_timeout = 10ms}, &main.process(), {.main = &main.process()});
        if (!report || report->service_is_over() || report->survivors.size() != 1) return 3;
        return stop_error("web", *report).code == ErrorCode::not_permitted ? 0 : 4;
    });
    EXPECT_EQ(code, 0);
    EXPECT_TRUE(main.alive());
}

TEST_F(Stop, forgets_an_error_on_the_way_when_nobody_is_left)
{
    if (getuid() != 0) GTEST_SKIP() << "needs root";
    const Program main(play({"sleep_forever"}));
    const auto meeting = os::make_pipe();
    test::TestChild stopper([&] {
        auto loop = os::EventLoop::create();
        if (!loop || !test::become_nobody()) return 2;
        bool told = false;
        const auto report = [&]() -> Result<StopReport> {
            StopReport outcome;
            StopSequence stop(
                *loop, {.rules = rules(1h)}, &main.process(),
                [&] {
                    auto found = find_members({.main = &main.process()});
                    // Once the signal was refused, the process ends by other hands.
                    if (!std::exchange(told, true)) loop->after(50ms, [&] { static_cast<void>(os::write_all(meeting->write, "x")); });
                    return found;
                },
                [&](const StopReport& last) {
                    outcome = last;
                    loop->quit();
                });
            stop.begin();
            if (auto ran = loop->run(); !ran) return fail(ran.error());
            return outcome;
        }();
        return report && report->service_is_over() ? 0 : 3;
    });
    char byte = 0;
    ASSERT_EQ(read(meeting->read.get(), &byte, 1), 1);
    kill(main.pid(), SIGKILL);
    const int status = stopper.reap();
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(Stop, with_a_cgroup_kills_faster_than_it_can_be_forked)
{
    const auto cgroup = os::Cgroup::create("unit-stop-" + std::to_string(getpid()));
    if (!cgroup) GTEST_SKIP() << "no cgroups to be made here";
    auto plan = play({"fork_tree", "4", "3", scratch_ / "pids"});
    plan.cgroup = cgroup->directory();
    const Program main(plan);
    const auto report = stop_members({.rules = rules(), .cgroup = &*cgroup, .kill_at_once = true}, &main.process(), {.cgroup = &*cgroup});
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->service_is_over());
    EXPECT_EQ(cgroup->populated().value_or(true), false);
    EXPECT_TRUE(cgroup->remove());
}

TEST_F(Stop, that_is_destroyed_on_the_way_touches_nothing_any_more)
{
    const Program main(ready("trap '' TERM"));
    wait_until_up();
    sequence({.rules = rules(50ms)}, main).begin();
    sequence_.reset();
    bool later = false;
    loop_->after(100ms, [&] { later = true; });
    ASSERT_TRUE(run_until([&] { return later; }));
    EXPECT_TRUE(main.alive());
    EXPECT_FALSE(report_);
}

// ---- when the machine has run out of something -----------------------------------------------------------------------------------------

TEST_F(Stop, the_main_process_is_signalled_while_members_cannot_be_looked_for)
{
    Program main(shell("sleep 1000"));
    unsigned searches = 0;
    sequence({.rules = rules()}, &main.process(), [&]() -> Result<std::vector<os::ProcessIdentity>> {
        if (++searches < 3) return fail(Error{.operation = "list", .object = "processes", .cause = "too many", .os_errno = EMFILE});
        return find_members({.main = &main.process()});
    }).begin();
    EXPECT_TRUE(finish().service_is_over());
    EXPECT_GE(searches, 3U);
    EXPECT_FALSE(finish().killed);
}

TEST_F(Stop, members_that_can_never_be_looked_for_are_an_error_in_the_end)
{
    Program main(shell("sleep 1000"));
    sequence({.rules = rules(10ms), .kill_timeout = 300ms}, &main.process(), []() -> Result<std::vector<os::ProcessIdentity>> {
        return fail(Error{.operation = "list", .object = "processes", .cause = "too many", .os_errno = EMFILE});
    }).begin();
    EXPECT_FALSE(finish().service_is_over());
    EXPECT_TRUE(finish().killed);
}

}  // namespace
}  // namespace steward::supervise
