#include "supervise/keeper.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "service.hpp"

namespace steward::supervise {
namespace {

using test::play;
using test::shell;
using testing::ElementsAre;
using namespace std::chrono_literals;

struct Pair {
    std::int32_t keeper = 0;
    std::int32_t supervisor = 0;
};

class KeeperTest : public test::Service {
  protected:
    // Both alive, and the supervisor another one.
    [[nodiscard]] Pair pair_unlike(const Pair& before = {}) const
    {
        Pair found;
        EXPECT_TRUE(test::eventually([&] {
            const auto now = state();
            if (!now || !test::lives(now->keeper) || !test::lives(now->supervisor)) return false;
            found = {now->keeper.pid, now->supervisor.pid};
            return found.supervisor != before.supervisor && found.keeper != found.supervisor;
        })) << events();
        return found;
    }
    // Up, with its pair.
    Pair start(const process::LaunchPlan& plan)
    {
        keep(assignment(plan));
        const auto report = first_report();
        EXPECT_TRUE(report && !report->error) << events();
        return pair_unlike();
    }
    // What each descriptor above the standard streams is.
    [[nodiscard]] static std::vector<std::string> descriptors(std::int32_t pid)
    {
        std::vector<std::string> kinds;
        for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
            std::error_code gone;
            auto target = std::filesystem::read_symlink(entry.path(), gone).string();
            if (std::stoi(entry.path().filename()) > 2 && !gone) kinds.push_back(target.substr(0, target.find('[')));
        }
        std::ranges::sort(kinds);
        return kinds;
    }
    static void reap_all()
    {
        while (auto reaped = os::reap_any()) {
            if (!*reaped) return;
        }
    }
};

TEST_F(KeeperTest, reports_the_first_start_and_stands_above_the_supervisor)
{
    keep(assignment(play({"sleep_forever"})));
    const auto report = first_report();
    ASSERT_TRUE(report && !report->error);
    EXPECT_EQ(report->main_pid, main().pid);
    const auto pair = pair_unlike();
    EXPECT_EQ(pair.keeper, runs_.back()->pid());
    EXPECT_EQ((*os::read_stat(pair.supervisor))->parent, pair.keeper);
    EXPECT_EQ((*os::read_stat(main().pid))->parent, pair.supervisor);
    EXPECT_EQ((*os::read_stat(pair.keeper))->command, "steward-keeper");
    EXPECT_EQ((*os::read_stat(pair.supervisor))->command, "steward");
}

TEST_F(KeeperTest, reports_a_start_that_failed_and_ends)
{
    spec_.ready.delay = 1000s;  // it ends before that, however slow it is
    auto& child = keep(assignment(shell("echo one; echo two >&2; exit 7")));
    const auto report = first_report();
    ASSERT_TRUE(report && report->error);
    EXPECT_EQ(report->error->code, ErrorCode::exited_early);
    EXPECT_EQ(report->error->message(), "cannot start web: it ended at once: exit code 7");
    EXPECT_THAT(report->error->detail, ElementsAre("one", "two"));
    EXPECT_EQ(child.reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::failed);
    EXPECT_EQ(test::content_of(pid_file()), "");
    EXPECT_FALSE(record_->lease_held().value());
}

TEST_F(KeeperTest, reports_a_program_that_cannot_be_executed)
{
    keep(assignment(test::plan_of({scratch_ / "missing"})));
    const auto report = first_report();
    ASSERT_TRUE(report && report->error);
    EXPECT_EQ(report->error->code, ErrorCode::program_missing);
}

TEST_F(KeeperTest, reports_the_launch_alone_where_that_is_asked)
{
    auto given = assignment(shell("while :; do :; done"));
    given.report_launch = true;
    keep(std::move(given));
    const auto report = first_report();
    ASSERT_TRUE(report && !report->error);
    EXPECT_EQ(report->main_pid, main().pid);
    EXPECT_TRUE(test::lives(main()));
    EXPECT_TRUE(becomes(ServiceState::running));
}

TEST_F(KeeperTest, ends_with_a_service_that_is_stopped)
{
    start(play({"sleep_forever"}));
    const auto reply = ask(Request::stop);
    ASSERT_TRUE(reply && !reply->error);
    EXPECT_EQ(runs_.back()->reap(), 0);
    EXPECT_FALSE(record_->lease_held().value());
}

TEST_F(KeeperTest, passes_signals_on_to_the_supervisor)
{
    const auto pair = start(play({"sleep_forever"}));
    kill(pair.keeper, SIGTERM);
    EXPECT_EQ(runs_.back()->reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::stopped);
}

TEST_F(KeeperTest, replaces_a_supervisor_that_was_killed_and_the_service_runs_on)
{
    auto pair = start(play({"sleep_forever"}));
    const auto main = this->main();
    for (int round = 0; round < 3; ++round) {
        kill(pair.supervisor, SIGKILL);
        const auto next = pair_unlike(pair);
        EXPECT_EQ(next.keeper, pair.keeper);
        EXPECT_EQ(this->main().pid, main.pid);
        EXPECT_TRUE(test::lives(main));
        pair = next;
    }
    EXPECT_TRUE(ask(Request::stop));
    EXPECT_FALSE(test::lives(main));
}

TEST_F(KeeperTest, that_is_killed_is_replaced_by_its_supervisor_and_the_service_runs_on)
{
    auto pair = start(play({"sleep_forever"}));
    const auto main = this->main();
    ASSERT_TRUE(test::eventually([&] { return (*os::read_stat(pair.keeper))->state == 'S'; })) << "it waits for signals";
    const auto at_first = descriptors(pair.keeper);
    for (int round = 0; round < 3; ++round) {
        kill(pair.keeper, SIGKILL);
        const auto next = pair_unlike(pair);
        EXPECT_EQ(next.keeper, pair.supervisor);
        EXPECT_TRUE(test::lives(main));
        EXPECT_TRUE(record_->lease_held().value());
        // Lease, control socket, directory, notices, the supervisor: and nothing of what it had as a supervisor.
        EXPECT_TRUE(test::eventually([&] { return descriptors(next.keeper) == at_first; }))
            << testing::PrintToString(descriptors(next.keeper));
        pair = next;
    }
    EXPECT_EQ(ask(Request::start)->main_pid, main.pid);
    EXPECT_TRUE(ask(Request::stop));
    EXPECT_FALSE(test::lives(main));
    EXPECT_TRUE(test::eventually([&] { return !record_->lease_held().value(); }));
}

TEST_F(KeeperTest, hands_on_the_exit_of_a_main_process_that_outlived_its_supervisor)
{
    spec_.restart.policy = RestartPolicyKind::never;
    const auto pair = start(shell("until test -e " + scratch_ / "go" + "; do sleep 0.01; done; exit 23"));
    kill(pair.supervisor, SIGKILL);
    static_cast<void>(pair_unlike(pair));
    scratch_.write("go", "");
    ASSERT_TRUE(becomes(ServiceState::failed));
    EXPECT_EQ(to_string(*state()->last_exit), "exit code 23");
}

TEST_F(KeeperTest, hands_on_the_exit_of_a_main_process_that_ended_between_two_supervisors)
{
    spec_.restart.policy = RestartPolicyKind::never;
    const auto pair = start(shell("until test -e " + scratch_ / "go" + "; do sleep 0.01; done; exit 23"));
    const auto main = this->main();
    kill(pair.keeper, SIGSTOP);
    kill(pair.supervisor, SIGSTOP);
    scratch_.write("go", "");
    ASSERT_TRUE(test::eventually([&] { return !test::lives(main); }));
    kill(pair.supervisor, SIGKILL);
    kill(pair.keeper, SIGCONT);
    ASSERT_TRUE(becomes(ServiceState::failed));
    EXPECT_EQ(to_string(*state()->last_exit), "exit code 23");
}

TEST_F(KeeperTest, keeps_the_exit_of_a_main_process_whose_keeper_was_killed)
{
    spec_.restart.policy = RestartPolicyKind::never;
    const auto pair = start(shell("until test -e " + scratch_ / "go" + "; do sleep 0.01; done; exit 23"));
    const auto main = this->main();
    kill(pair.supervisor, SIGSTOP);
    scratch_.write("go", "");
    ASSERT_TRUE(test::eventually([&] { return !test::lives(main); }));
    kill(pair.keeper, SIGKILL);
    runs_.back()->reap();
    kill(pair.supervisor, SIGCONT);
    ASSERT_TRUE(becomes(ServiceState::failed));
    EXPECT_EQ(to_string(*state()->last_exit), "exit code 23");
}

TEST_F(KeeperTest, is_not_held_up_by_more_ends_than_anybody_reads)
{
    const auto orphan = [&](int count) {
        return "for i in $(seq " + std::to_string(count) + "); do (true &) ; done; echo done >" + scratch_ / "done";
    };
    const auto pair = start(shell("until test -e " + scratch_ / "go" + "; do sleep 0.01; done; " + orphan(700) + "; exec sleep 1000"));
    const auto main = this->main();
    kill(pair.supervisor, SIGSTOP);
    scratch_.write("go", "");
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(scratch_ / "done").empty(); }));
    // Now all of them fall to the keeper, before there is a supervisor to read of them.
    kill(pair.supervisor, SIGKILL);
    const auto next = pair_unlike(pair);
    EXPECT_EQ(next.keeper, pair.keeper);
    EXPECT_TRUE(test::lives(main));
    EXPECT_TRUE(ask(Request::stop));
}

TEST_F(KeeperTest, carries_a_stop_on_that_its_supervisor_began)
{
    spec_.stop.timeout = 1h;
    const std::string script = "trap '' TERM; echo up >" + scratch_ / "up" + "; until test -e " + scratch_ / "go" + "; do sleep 0.01; done";
    const auto pair = start(shell(script));
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(scratch_ / "up").empty(); }));
    const test::TestChild asker([&] {
        const auto reply = ask(Request::stop);
        return reply && !reply->error ? 0 : 1;
    });
    ASSERT_TRUE(becomes(ServiceState::stopping));
    kill(pair.supervisor, SIGKILL);
    static_cast<void>(pair_unlike(pair));
    EXPECT_EQ(state_now(), ServiceState::stopping);
    scratch_.write("go", "");
    ASSERT_TRUE(becomes(ServiceState::stopped));
    EXPECT_EQ(runs_.back()->reap(), 0);
}

TEST_F(KeeperTest, finds_what_fled_though_both_were_killed_one_after_the_other)
{
    auto pair = start(play({"double_fork", scratch_ / "fled"}));
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(scratch_ / "fled").empty(); }));
    const std::int32_t fled = std::stoi(test::content_of(scratch_ / "fled"));
    kill(pair.keeper, SIGKILL);
    pair = pair_unlike(pair);
    kill(pair.supervisor, SIGKILL);
    pair = pair_unlike(pair);
    EXPECT_TRUE(test::lives(fled));
    ASSERT_TRUE(ask(Request::stop));
    EXPECT_FALSE(test::lives(fled));
    reap_all();
}

}  // namespace
}  // namespace steward::supervise
