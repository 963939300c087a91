#include "supervise/supervisor.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "service.hpp"

namespace steward::supervise {
namespace {

using test::play;
using test::shell;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* busy_for_ever = "while :; do :; done";

class SupervisorTest : public test::Service {
  protected:
    // Starts to listen, runs, and is waited for until it is up.
    test::TestChild& up(const process::LaunchPlan& plan)
    {
        auto& child = supervise(assignment(plan));
        EXPECT_TRUE(becomes(ServiceState::running)) << events();
        return child;
    }
    // The supervisor has ended because all is over.
    static bool ended(test::TestChild& child)
    {
        const int status = child.reap();
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
};

TEST_F(SupervisorTest, runs_a_service_and_stops_it_when_asked)
{
    auto& child = up(play({"sleep_forever"}));
    const auto main = this->main();
    EXPECT_TRUE(test::lives(main));
    EXPECT_EQ(test::content_of(pid_file()), std::to_string(main.pid) + "\n");
    EXPECT_EQ(state()->supervisor.pid, child.pid());
    EXPECT_EQ(state()->keeper.pid, 0);
    EXPECT_TRUE(record_->lease_held().value());

    const auto reply = ask(Request::stop);
    ASSERT_TRUE(reply && !reply->error);
    EXPECT_FALSE(reply->killed);
    EXPECT_TRUE(ended(child));
    EXPECT_FALSE(test::lives(main));
    EXPECT_EQ(state_now(), ServiceState::stopped);
    EXPECT_EQ(state()->last_exit_pid, main.pid);
    EXPECT_EQ(to_string(*state()->last_exit), "signal 15 (TERM)");
    EXPECT_EQ(test::content_of(pid_file()), "");
    EXPECT_FALSE(record_->lease_held().value());
}

TEST_F(SupervisorTest, stops_its_service_when_it_is_told_to_end)
{
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT}) {
        auto& child = up(play({"sleep_forever"}));
        const auto main = this->main();
        kill(child.pid(), signal);
        EXPECT_TRUE(ended(child));
        EXPECT_FALSE(test::lives(main));
        EXPECT_EQ(state_now(), ServiceState::stopped);
    }
}

TEST_F(SupervisorTest, hurries_at_the_second_interrupt)
{
    spec_.stop.timeout = 1h;
    auto& child = up(shell("trap '' TERM; while :; do sleep 0.01; done"));
    kill(child.pid(), SIGINT);
    ASSERT_TRUE(becomes(ServiceState::stopping));
    kill(child.pid(), SIGINT);
    EXPECT_TRUE(ended(child));
    EXPECT_EQ(to_string(*state()->last_exit), "signal 9 (KILL)");
}

TEST_F(SupervisorTest, notes_how_a_service_ended_that_is_not_to_be_restarted)
{
    spec_.restart.policy = RestartPolicyKind::never;
    EXPECT_TRUE(ended(supervise(assignment(play({"exit_with", "0"})))));
    EXPECT_EQ(state_now(), ServiceState::finished);
    EXPECT_TRUE(ended(supervise(assignment(play({"exit_with", "3"})))));
    EXPECT_EQ(state_now(), ServiceState::failed);
    EXPECT_EQ(state()->reason, "exit code 3");
    EXPECT_EQ(test::content_of(pid_file()), "");
}

TEST_F(SupervisorTest, restarts_by_the_policy_until_the_limit)
{
    spec_.restart.delay = 1ms;
    spec_.restart.limit = 3;
    EXPECT_TRUE(ended(supervise(assignment(counted("exit 3")))));
    EXPECT_EQ(runs(), 4U);
    EXPECT_EQ(state_now(), ServiceState::failed);
    EXPECT_EQ(state()->restarts, 3U);
    EXPECT_THAT(state()->reason, HasSubstr("given up after 3 restarts"));
}

TEST_F(SupervisorTest, counts_a_program_that_is_missing_as_a_failed_run)
{
    spec_.restart.delay = 1ms;
    spec_.restart.limit = 2;
    EXPECT_TRUE(ended(supervise(assignment(test::plan_of({"/no/such/program"})))));
    EXPECT_EQ(state_now(), ServiceState::failed);
    EXPECT_EQ(state()->restarts, 2U);
    EXPECT_THAT(state()->reason, HasSubstr("/no/such/program"));
}

TEST_F(SupervisorTest, ends_the_leftovers_of_a_run_before_the_next)
{
    spec_.restart.delay = 1ms;
    const auto plan = counted("test $(wc -l <$0) = 1 && { sleep 1000 & echo $! >$0.child; exit 3; }; exec sleep 1000");
    auto& child = supervise(assignment(plan));
    ASSERT_TRUE(test::eventually([&] { return runs() == 2; }));
    EXPECT_FALSE(test::lives(std::stoi(test::content_of(scratch_ / "runs.child"))));
    EXPECT_TRUE(test::eventually([&] { return os::process_tree(child.pid()).size() == 2; })) << "the supervisor and one instance";
}

TEST_F(SupervisorTest, leaves_the_leftovers_in_main_mode)
{
    spec_.restart.policy = RestartPolicyKind::never;
    spec_.stop.mode = StopMode::main;
    EXPECT_TRUE(ended(supervise(assignment(counted("sleep 1000 & echo $! >$0.child; exit 0")))));
    EXPECT_TRUE(test::lives(std::stoi(test::content_of(scratch_ / "runs.child"))));
}

TEST_F(SupervisorTest, never_has_two_instances_though_the_pid_file_cannot_be_written)
{
    spec_.restart.delay = 5ms;
    spec_.restart.policy = RestartPolicyKind::always;
    ASSERT_EQ(mkdir((scratch_ / "place").c_str(), 0755), 0);
    auto given = assignment(counted("exec sleep 1000"));
    given.pid_file = scratch_ / "place/web.pid";
    auto& child = supervise(std::move(given));
    ASSERT_TRUE(becomes(ServiceState::running));
    ASSERT_EQ(rename((scratch_ / "place").c_str(), (scratch_ / "away").c_str()), 0);
    kill(main().pid, SIGKILL);
    ASSERT_TRUE(test::eventually([&] { return state()->restarts >= 5; }));
    ASSERT_EQ(rename((scratch_ / "away").c_str(), (scratch_ / "place").c_str()), 0);
    ASSERT_TRUE(becomes(ServiceState::running));
    EXPECT_TRUE(test::eventually([&] { return os::process_tree(child.pid()).size() == 2; })) << "the supervisor and one instance";
    EXPECT_EQ(test::content_of(scratch_ / "place/web.pid"), std::to_string(main().pid) + "\n");
    EXPECT_THAT(events(), HasSubstr("PID file"));
}

TEST_F(SupervisorTest, answers_a_start_at_once_when_the_service_runs)
{
    up(play({"sleep_forever"}));
    const auto reply = ask(Request::start);
    ASSERT_TRUE(reply && !reply->error);
    EXPECT_EQ(reply->main_pid, main().pid);
}

TEST_F(SupervisorTest, answers_a_start_that_is_under_way_when_the_service_is_up)
{
    spec_.ready.delay = 2s;
    supervise(assignment(shell(busy_for_ever)));
    ASSERT_TRUE(becomes(ServiceState::starting));
    const auto reply = ask(Request::start);
    ASSERT_TRUE(reply && !reply->error);
    EXPECT_EQ(reply->main_pid, main().pid);
    EXPECT_EQ(state_now(), ServiceState::running);
}

TEST_F(SupervisorTest, starts_now_what_waits_for_its_restart)
{
    spec_.restart.delay = spec_.restart.max_delay = 1h;
    supervise(assignment(counted("test $(wc -l <$0) = 1 && exit 3; exec sleep 1000")));
    ASSERT_TRUE(becomes(ServiceState::backing_off));
    const auto reply = ask(Request::start);
    ASSERT_TRUE(reply && !reply->error) << reply->error->message();
    EXPECT_EQ(reply->main_pid, main().pid);
    EXPECT_TRUE(test::eventually([&] { return runs() == 2; }));
}

TEST_F(SupervisorTest, tells_who_started_it_that_the_restart_failed_too)
{
    spec_.restart.delay = spec_.restart.max_delay = 1h;
    supervise(assignment(counted("echo 'no such port' >&2; exit 3")));
    ASSERT_TRUE(becomes(ServiceState::backing_off));
    const auto reply = ask(Request::start);
    ASSERT_TRUE(reply && reply->error);
    EXPECT_EQ(reply->error->code, ErrorCode::exited_early);
    EXPECT_EQ(reply->error->cause, "it ended at once: exit code 3");
    EXPECT_THAT(reply->error->detail, ElementsAre("no such port"));
}

TEST_F(SupervisorTest, stops_what_is_starting_and_says_so_to_who_waits)
{
    auto& child = supervise(assignment(shell(busy_for_ever)));
    ASSERT_TRUE(test::eventually([&] { return test::lives(main()); }));
    const test::TestChild waiter([&] {
        const auto reply = ask(Request::start);
        if (!reply) return 1;
        return !reply->error || reply->error->code == ErrorCode::cancelled || reply->error->code == ErrorCode::not_running ? 0 : 2;
    });
    ASSERT_TRUE(ask(Request::stop));
    EXPECT_TRUE(ended(child));
    EXPECT_EQ(state_now(), ServiceState::stopped);
}

TEST_F(SupervisorTest, stops_what_waits_for_its_restart)
{
    spec_.restart.delay = spec_.restart.max_delay = 1h;
    auto& child = supervise(assignment(counted("exit 3")));
    ASSERT_TRUE(becomes(ServiceState::backing_off));
    const auto reply = ask(Request::stop);
    EXPECT_TRUE(reply && !reply->error);
    EXPECT_TRUE(ended(child));
    EXPECT_EQ(state_now(), ServiceState::stopped);
    EXPECT_EQ(runs(), 1U);
}

TEST_F(SupervisorTest, answers_every_stop_of_one_end)
{
    spec_.stop.timeout = 3s;  // all have asked by then
    up(shell("trap '' TERM; echo up >" + scratch_ / "up" + "; while :; do sleep 0.01; done"));
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(scratch_ / "up").empty(); }));
    std::vector<std::unique_ptr<test::TestChild>> askers;
    for (int asker = 0; asker < 5; ++asker) {
        askers.push_back(std::make_unique<test::TestChild>([&] {
            const auto reply = ask(Request::stop);
            return reply && !reply->error && reply->killed ? 0 : 1;
        }));
    }
    for (auto& asker : askers) EXPECT_EQ(asker->reap(), 0);
}

TEST_F(SupervisorTest, reloads_by_a_signal_that_is_caught)
{
    spec_.reload.signal = SIGHUP;
    auto& child = up(play({"catch_hup", scratch_ / "said"}));
    ASSERT_TRUE(test::eventually([&] { return test::content_of(scratch_ / "said") == "ready\n"; }));
    const auto reply = ask(Request::reload);
    ASSERT_TRUE(reply && !reply->error);
    EXPECT_TRUE(test::eventually([&] { return test::content_of(scratch_ / "said") == "ready\nhup\n"; }));
    kill(child.pid(), SIGHUP);
    EXPECT_TRUE(test::eventually([&] { return test::content_of(scratch_ / "said") == "ready\nhup\nhup\n"; }));
}

TEST_F(SupervisorTest, refuses_to_reload_without_a_way_to)
{
    up(play({"sleep_forever"}));
    const auto reply = ask(Request::reload);
    ASSERT_TRUE(reply && reply->error);
    EXPECT_EQ(reply->error->code, ErrorCode::unsupported);
}

TEST_F(SupervisorTest, reloads_by_a_command_that_is_told_the_main_process)
{
    spec_.reload.command = {"/bin/sh"};
    auto given = assignment(play({"sleep_forever"}));
    const std::string script = "echo $MAINPID >$0; until test -e $0.enough; do sleep 0.01; done";
    given.reload_command = test::as_optional(test::plan_of({"/bin/sh", "-c", script, scratch_ / "told"}));
    supervise(std::move(given));
    ASSERT_TRUE(becomes(ServiceState::running));
    const test::TestChild first([&] { return ask(Request::reload) ? 0 : 1; });
    ASSERT_TRUE(becomes(ServiceState::reloading));
    const auto second = ask(Request::reload);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->error ? second->error->cause : "", "a reload is under way");
    scratch_.write("told.enough", "");
    ASSERT_TRUE(becomes(ServiceState::running));
    EXPECT_EQ(test::content_of(scratch_ / "told"), std::to_string(main().pid) + "\n");
}

TEST_F(SupervisorTest, tells_that_the_reload_command_failed)
{
    spec_.reload.command = {"webctl"};
    auto given = assignment(play({"sleep_forever"}));
    given.reload_command = test::as_optional(play({"exit_with", "4"}));
    supervise(std::move(given));
    ASSERT_TRUE(becomes(ServiceState::running));
    const auto reply = ask(Request::reload);
    ASSERT_TRUE(reply && reply->error);
    EXPECT_THAT(reply->error->cause, HasSubstr("exit code 4"));
    EXPECT_TRUE(becomes(ServiceState::running));
}

TEST_F(SupervisorTest, survives_a_main_process_that_ends_during_its_reload)
{
    spec_.reload.command = {"webctl"};
    spec_.restart.delay = 1ms;
    auto given = assignment(counted("exec sleep 1000"));
    given.reload_command = test::as_optional(shell("kill -9 $MAINPID; exec sleep 0.1"));
    supervise(std::move(given));
    ASSERT_TRUE(becomes(ServiceState::running));
    EXPECT_TRUE(ask(Request::reload));
    EXPECT_TRUE(test::eventually([&] { return runs() == 2 && state_now() == ServiceState::running; }));
}

TEST_F(SupervisorTest, answers_what_it_does_not_understand_and_goes_on)
{
    up(play({"sleep_forever"}));
    auto strange = encode(Request::stop);
    strange[6] = std::byte{99};
    for (const auto& message : {strange, std::vector(3, std::byte{1}), encode(Reply{})}) {
        const auto client = os::connect_messages(record_->directory(), "control");
        ASSERT_TRUE(client && os::send_message(*client, message));
        const auto received = os::receive_message(*client, message_limit, test::deadline);
        ASSERT_TRUE(received && *received);
        const auto reply = decode_reply(**received);
        ASSERT_TRUE(reply && reply->error);
        EXPECT_EQ(reply->error->code, ErrorCode::unsupported);
    }
    EXPECT_TRUE(ask(Request::start));
}

TEST_F(SupervisorTest, drops_a_message_that_is_too_long_and_goes_on)
{
    up(play({"sleep_forever"}));
    const auto client = os::connect_messages(record_->directory(), "control");
    ASSERT_TRUE(client && os::send_message(*client, std::vector(message_limit + 1, std::byte{1})));
    const auto received = os::receive_message(*client, message_limit, test::deadline);
    EXPECT_TRUE(received && !*received) << "closed";
    EXPECT_TRUE(ask(Request::start));
}

TEST_F(SupervisorTest, answers_others_when_a_flood_of_clients_has_gone)
{
    up(play({"sleep_forever"}));
    {
        std::vector<os::UniqueFd> flood;
        // As many as are taken in and as fit in the backlog.
        for (int client = 0; client < 180; ++client) {
            auto connected = os::connect_messages(record_->directory(), "control");
            ASSERT_TRUE(connected) << connected.error().message();
            flood.push_back(std::move(*connected));
        }
    }
    const auto reply = ask(Request::start);
    EXPECT_TRUE(reply && !reply->error);
}

TEST_F(SupervisorTest, does_not_wait_for_clients_that_neither_ask_nor_read)
{
    up(play({"sleep_forever"}));
    std::vector<os::UniqueFd> clients;
    for (int client = 0; client < 20; ++client) {
        auto connected = os::connect_messages(record_->directory(), "control");
        ASSERT_TRUE(connected);
        const bool asks = client % 2 == 0;
        EXPECT_TRUE(!asks || os::send_message(*connected, encode(Request::start)));
        clients.push_back(std::move(*connected));
    }
    const auto reply = ask(Request::stop);
    EXPECT_TRUE(reply && !reply->error);
}

TEST_F(SupervisorTest, gives_up_the_lease_of_a_service_that_is_over_while_another_goes_on)
{
    auto web = assignment(play({"sleep_forever"}));
    auto api = assignment(play({"sleep_forever"}), "api");
    runs_.push_back(std::make_unique<test::TestChild>([&]() -> int {
        log::EventLog events(log::EventLog::Sink::file, scratch_ / "steward.log");
        auto supervisor = Supervisor::create({&web, &api}, {.foreground = true, .events = &events});
        return supervisor && (*supervisor)->run() ? 0 : 1;
    }));
    for (auto* ours : {&web, &api}) {
        ours->lease.reset();
        ours->control.reset();
    }
    const auto other = record::ServiceDirectory::open(scratch_ / "run", "api").value();
    ASSERT_TRUE(becomes(ServiceState::running));
    ASSERT_TRUE(test::eventually([&] { return other->read_state().value()->state == ServiceState::running; }));

    const auto reply = ask(Request::stop);
    ASSERT_TRUE(reply && !reply->error);
    EXPECT_TRUE(test::eventually([&] { return !record_->lease_held().value(); }));
    EXPECT_EQ(ask(Request::stop).error().code, ErrorCode::not_running);
    EXPECT_TRUE(other->lease_held().value());
    EXPECT_TRUE(test::lives(*other->read_main().value()));
    kill(runs_.back()->pid(), SIGTERM);
    EXPECT_TRUE(ended(*runs_.back()));
}

TEST_F(SupervisorTest, leaves_alone_what_was_below_it_before_its_service)
{
    auto given = assignment(play({"sleep_forever"}));
    const auto pipe = os::make_pipe();
    auto& child = *runs_.emplace_back(std::make_unique<test::TestChild>([&]() -> int {
        const auto stranger = os::spawn([](void*) noexcept -> int { test::pause_for_ever(); }, nullptr);
        static_cast<void>(os::write_all(pipe->write, std::to_string(stranger->child.pid) + "\n"));
        log::EventLog events(log::EventLog::Sink::file, scratch_ / "steward.log");
        auto supervisor = Supervisor::create({&given}, {.foreground = true, .events = &events});
        return supervisor && (*supervisor)->run() ? 0 : 1;
    }));
    std::vector<std::byte> text(16);
    ASSERT_TRUE(os::read_some(pipe->read, text));
    const std::int32_t stranger = std::atoi(reinterpret_cast<const char*>(text.data()));
    ASSERT_TRUE(becomes(ServiceState::running));
    ASSERT_TRUE(ask(Request::stop));
    EXPECT_TRUE(ended(child));
    EXPECT_TRUE(test::lives(stranger));
}

TEST_F(SupervisorTest, that_is_killed_takes_a_service_along_that_is_tied_to_it_and_no_other)
{
    for (const bool tied : {true, false}) {
        auto plan = play({"sleep_forever"});
        plan.parent_death_signal = tied ? SIGKILL : 0;
        if (geteuid() == 0) plan.identity = process::Identity{.uid = 65534, .gid = 65534, .groups = {}};
        auto& child = up(plan);
        const auto main = this->main();
        kill(child.pid(), SIGKILL);
        child.reap();
        if (tied) {
            EXPECT_TRUE(test::eventually([&] { return !test::lives(main); }));
        } else {
            EXPECT_TRUE(test::lives(main));
        }
        ASSERT_TRUE(record_->write_state(left_behind(ServiceState::stopped)));
    }
}

TEST_F(SupervisorTest, does_without_a_record_where_nothing_can_be_written)
{
    spec_.restart.delay = 1ms;
    spec_.restart.limit = 1;
    auto given = assignment(counted("test $(wc -l <$0) = 1 && exit 3; exec sleep 1000"));
    given.directory.reset();
    given.control.reset();
    given.lease.reset();
    given.pid_file.clear();
    auto& child = supervise(std::move(given));
    ASSERT_TRUE(test::eventually([&] { return runs() == 2; }));
    kill(child.pid(), SIGTERM);
    EXPECT_TRUE(ended(child));
    EXPECT_FALSE(state());
    EXPECT_FALSE(std::filesystem::exists(pid_file()));
}

TEST_F(SupervisorTest, makes_a_cgroup_for_its_service_and_removes_it)
{
    cgroup_name_ = "unit-supervisor-" + std::to_string(getpid());
    const auto probe = os::Cgroup::create(cgroup_name_);
    if (!probe) GTEST_SKIP() << "no cgroups to be made here";
    ASSERT_TRUE(probe->remove());
    auto& child = up(play({"fork_tree", "3", "2", scratch_ / "pids"}));
    const std::string path = state()->cgroup;
    ASSERT_NE(path, "");
    ASSERT_TRUE(test::eventually([&] { return os::Cgroup::open(path)->processes()->size() == 13; }));
    ASSERT_TRUE(ask(Request::stop));
    EXPECT_TRUE(ended(child));
    EXPECT_FALSE(os::Cgroup::open(path));
    EXPECT_EQ(state()->cgroup, "");
}

}  // namespace
}  // namespace steward::supervise
