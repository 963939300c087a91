// What a supervisor makes of a record that was left behind: by one that was killed between any two lines.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "service.hpp"

namespace steward::supervise {
namespace {

using test::play;
using test::Program;
using testing::HasSubstr;
using namespace std::chrono_literals;

class Adopt : public test::Service {
  protected:
    void SetUp() override
    {
        Service::SetUp();
        spec_.restart.delay = 1ms;
    }
    // The supervisor that carries on from `left`.
    test::TestChild& carry_on(const record::State& left, const process::LaunchPlan& plan)
    {
        EXPECT_TRUE(record_->write_state(left));
        auto given = assignment(plan);
        given.adopt = true;
        given.file_digest = goes_by_;
        return supervise(std::move(given));
    }
    test::TestChild& carry_on(const record::State& left) { return carry_on(left, counted("exec sleep 1000")); }
    // A main process that has ended and was reaped.
    static os::ProcessIdentity ended_process()
    {
        Program program(play({"exit_with", "3"}));
        const auto identity = program.process().identity();
        static_cast<void>(program.wait());
        return identity;
    }
    [[nodiscard]] record::State with_noted_end(ServiceState state, const os::ProcessIdentity& main, int code) const
    {
        auto left = left_behind(state);
        left.last_exit = ExitStatus{.code = code};
        left.last_exit_pid = main.pid;
        return left;
    }

    static constexpr std::uint64_t goes_by_ = 78;  // what it was given to carry on with
};

TEST_F(Adopt, a_living_main_process_is_taken_over_and_not_started_again)
{
    const Program program(play({"sleep_forever"}));
    write_main(program.process().identity());
    auto left = left_behind(ServiceState::running);
    left.restarts = 4;
    left.service_file = "/etc/steward/web.toml";
    left.file_digest = 77;
    auto& child = carry_on(left);
    ASSERT_TRUE(test::eventually([&] { return state()->supervisor.pid == child.pid(); }));
    EXPECT_EQ(state_now(), ServiceState::running);
    EXPECT_EQ(state()->since, left.since) << "it runs as long as before";
    EXPECT_EQ(state()->restarts, 4U);
    EXPECT_EQ(state()->service_file, left.service_file);
    EXPECT_EQ(state()->file_digest, goes_by_) << "the file may have been applied since";
    EXPECT_EQ(test::content_of(pid_file()), std::to_string(program.pid()) + "\n");
    EXPECT_EQ(ask(Request::start)->main_pid, program.pid());
    EXPECT_EQ(runs(), 0U);
    EXPECT_TRUE(program.alive());
}

TEST_F(Adopt, output_that_cannot_be_taken_yet_is_taken_as_soon_as_it_can_be)
{
    const Program program(play({"sleep_forever"}));
    write_main(program.process().identity());
    const auto spool = scratch_ / "run/web/stdout.spool";
    std::filesystem::create_directory(spool);
    auto& child = carry_on(left_behind(ServiceState::running));
    ASSERT_TRUE(test::eventually([&] { return state()->supervisor.pid == child.pid(); }));
    EXPECT_THAT(events(), HasSubstr("stdout.spool"));
    std::ofstream(scratch_ / "run/web/stdout.fifo") << "one\n" << std::flush;
    std::filesystem::remove(spool);
    EXPECT_TRUE(test::eventually([&] { return test::content_of(scratch_ / "web.log").ends_with("one\n"); }));
    EXPECT_TRUE(program.alive());
}

TEST_F(Adopt, the_end_of_a_main_process_that_was_taken_over_is_noticed)
{
    Program program(play({"sleep_forever"}));
    write_main(program.process().identity());
    auto& child = carry_on(left_behind(ServiceState::running));
    ASSERT_TRUE(test::eventually([&] { return state()->supervisor.pid == child.pid(); }));
    const auto pid = program.pid();
    kill(pid, SIGKILL);
    static_cast<void>(program.wait());
    ASSERT_TRUE(test::eventually([&] { return runs() == 1; }));
    EXPECT_EQ(state()->last_exit_pid, pid);
    EXPECT_EQ(state()->restarts, 1U);
}

TEST_F(Adopt, a_main_process_that_was_taken_over_is_stopped_and_its_pid_file_goes)
{
    Program program(play({"sleep_forever"}));
    write_main(program.process().identity());
    auto& child = carry_on(left_behind(ServiceState::running));
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(pid_file()).empty(); }));
    const auto reply = ask(Request::stop);
    ASSERT_TRUE(reply && !reply->error);
    EXPECT_EQ(child.reap(), 0);
    EXPECT_EQ(test::content_of(pid_file()), "");
    EXPECT_EQ(state_now(), ServiceState::stopped);
    EXPECT_EQ(state()->last_exit_pid, program.pid());
}

TEST_F(Adopt, a_final_state_is_left_alone)
{
    const auto main = ended_process();
    for (const auto final : {ServiceState::stopped, ServiceState::finished, ServiceState::failed}) {
        for (const bool noted : {true, false}) {
            write_main(main);
            EXPECT_EQ(carry_on(noted ? with_noted_end(final, main, 0) : left_behind(final)).reap(), 0);
            EXPECT_EQ(state_now(), final);
        }
    }
    EXPECT_EQ(runs(), 0U);
}

TEST_F(Adopt, an_end_that_was_noted_is_followed_by_what_the_policy_says)
{
    spec_.restart.policy = RestartPolicyKind::never;
    const auto main = ended_process();
    write_main(main);
    EXPECT_EQ(carry_on(with_noted_end(ServiceState::running, main, 0)).reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::finished);
    EXPECT_EQ(carry_on(with_noted_end(ServiceState::running, main, 3)).reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::failed);
    EXPECT_EQ(runs(), 0U);
}

TEST_F(Adopt, an_end_that_nobody_saw_counts_as_a_failure)
{
    write_main(ended_process());
    carry_on(left_behind(ServiceState::running));
    ASSERT_TRUE(test::eventually([&] { return runs() == 1; }));
    EXPECT_FALSE(state()->last_exit->known);
}

// One of a loop of short runs: how far its back-off has come outlives whoever counted it.
TEST_F(Adopt, the_back_off_goes_on_where_it_was)
{
    spec_.restart = {.delay = 1ms, .factor = 2, .max_delay = 10h, .jitter = 0, .window = 60s};
    spec_.restart.policy = RestartPolicyKind::always;
    const auto main = ended_process();
    struct Case {
        std::int64_t last_run;
        std::uint64_t attempts;
        std::chrono::milliseconds delay;
    };
    for (const auto& [last_run, attempts, delay] :
         {Case{59'999'999, 24, (1 << 23) * 1ms}, Case{60'000'000, 1, 1ms}, Case{0, 24, (1 << 23) * 1ms}}) {
        write_main(main);
        auto left = with_noted_end(ServiceState::running, main, 3);
        left.attempts = 23;
        left.last_run = last_run;
        auto& child = carry_on(left);
        ASSERT_TRUE(test::eventually([&] { return state()->restarts == 1; }));
        EXPECT_EQ(state()->attempts, attempts) << last_run;
        if (delay > 1s) {
            EXPECT_EQ(state_now(), ServiceState::backing_off);
            EXPECT_GT(*state()->next_start, std::chrono::system_clock::now() + delay / 2);
        }
        ASSERT_TRUE(ask(Request::stop));
        EXPECT_EQ(child.reap(), 0);
    }
}

TEST_F(Adopt, a_restart_limit_that_was_reached_is_reached)
{
    spec_.restart.limit = 3;
    const auto main = ended_process();
    write_main(main);
    auto left = with_noted_end(ServiceState::running, main, 3);
    left.attempts = 3;
    left.last_run = 1;
    EXPECT_EQ(carry_on(left).reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::failed);
    EXPECT_THAT(state()->reason, HasSubstr("given up after 3 restarts"));
    EXPECT_EQ(runs(), 0U);
}

// How long it ran nobody saw, but it has not run since before it began.
TEST_F(Adopt, an_end_that_nobody_saw_is_counted_from_the_start_of_the_process)
{
    spec_.restart.window = 10h;
    write_main(ended_process());
    auto left = left_behind(ServiceState::running);
    left.attempts = 7;
    carry_on(left);
    ASSERT_TRUE(test::eventually([&] { return runs() == 1; }));
    EXPECT_EQ(state()->attempts, 8U);
    EXPECT_LT(state()->last_run, 3'600'000'000);
}

// The hook is run again by the next supervisor, and the end is counted once.
TEST_F(Adopt, an_end_is_not_counted_before_its_hook_is_over)
{
    spec_.restart.delay = spec_.restart.max_delay = 1h;
    const auto main = ended_process();
    write_main(main);
    auto left = with_noted_end(ServiceState::running, main, 3);
    left.attempts = 2;
    EXPECT_TRUE(record_->write_state(left));
    Commands hooks;
    hooks.push_back(test::plan_of({"/bin/sh", "-c", "echo hook >>$0; read x <$1", scratch_ / "hooks", scratch_ / "gate"}));
    ASSERT_EQ(mkfifo((scratch_ / "gate").c_str(), 0600), 0);
    const auto begin = [&]() -> test::TestChild& {
        auto given = assignment(counted("exec sleep 1000"));
        given.adopt = true;
        given.hooks.set(Hook::on_failure, hooks);
        return supervise(std::move(given));
    };
    auto& first = begin();
    const auto hooks_have_run = [&](const std::string& runs) {
        return test::eventually([&] { return test::content_of(scratch_ / "hooks") == runs; });
    };
    ASSERT_TRUE(hooks_have_run("hook\n"));
    EXPECT_EQ(state()->attempts, 2U);
    kill(first.pid(), SIGKILL);
    static_cast<void>(first.reap());
    auto& second = begin();
    ASSERT_TRUE(hooks_have_run("hook\nhook\n"));
    scratch_.write("gate", "go\n");
    ASSERT_TRUE(becomes(ServiceState::backing_off));
    EXPECT_EQ(state()->attempts, 3U);
    ASSERT_TRUE(ask(Request::stop));
    EXPECT_EQ(second.reap(), 0);
}

TEST_F(Adopt, a_launch_that_came_to_nothing_is_done_again)
{
    carry_on(left_behind(ServiceState::starting));
    EXPECT_TRUE(becomes(ServiceState::running));
    EXPECT_TRUE(test::eventually([&] { return runs() == 1; }));
    EXPECT_EQ(state()->restarts, 0U);
}

TEST_F(Adopt, a_launch_that_is_under_way_is_waited_for)
{
    const test::Meeting locked;
    auto launch = std::make_unique<test::TestChild>([&] {
        const auto lock = record_->lock_launch();
        locked.tell(lock ? 1 : 0);
        test::pause_for_ever();
        return 0;
    });
    ASSERT_EQ(locked.hear(), 1);
    const Program program(play({"sleep_forever"}));
    auto& child = carry_on(left_behind(ServiceState::starting));
    // It waits; meanwhile the child of the launch has written itself into the record and becomes the program.
    ASSERT_TRUE(test::eventually([&] { return (*os::read_stat(child.pid()))->state == 'S'; }));
    write_main(program.process().identity());
    launch.reset();
    ASSERT_TRUE(becomes(ServiceState::running));
    EXPECT_EQ(ask(Request::start)->main_pid, program.pid());
    EXPECT_EQ(runs(), 0U);
}

TEST_F(Adopt, a_first_start_that_fails_is_a_failed_start)
{
    spec_.ready.delay = 1000s;  // it ends before that, however slow it is
    auto& child = carry_on(left_behind(ServiceState::starting), counted("exit 3"));
    EXPECT_EQ(child.reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::failed);
    EXPECT_EQ(runs(), 1U);
}

TEST_F(Adopt, a_restart_delay_is_carried_on)
{
    auto left = left_behind(ServiceState::backing_off);
    left.next_start = std::chrono::system_clock::now() + 300ms;
    carry_on(left);
    ASSERT_TRUE(becomes(ServiceState::running));
    EXPECT_GE(std::chrono::system_clock::now(), *left.next_start);
    EXPECT_TRUE(test::eventually([&] { return runs() == 1; }));
}

TEST_F(Adopt, a_restart_delay_is_never_longer_than_the_longest_though_the_clock_has_jumped)
{
    spec_.restart.max_delay = 50ms;
    auto left = left_behind(ServiceState::backing_off);
    left.next_start = std::chrono::system_clock::now() + 10h;
    carry_on(left);
    EXPECT_TRUE(becomes(ServiceState::running));
}

TEST_F(Adopt, a_restart_that_is_overdue_comes_at_once)
{
    spec_.restart.delay = spec_.restart.max_delay = 1h;
    auto left = left_behind(ServiceState::backing_off);
    left.next_start = std::chrono::system_clock::now() - 10h;
    carry_on(left);
    EXPECT_TRUE(becomes(ServiceState::running));
}

TEST_F(Adopt, a_stop_that_was_under_way_goes_on)
{
    const Program program(play({"sleep_forever"}));
    write_main(program.process().identity());
    auto left = left_behind(ServiceState::stopping);
    left.stop_requested = true;
    EXPECT_EQ(carry_on(left).reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::stopped);
    EXPECT_FALSE(program.alive());
    EXPECT_EQ(runs(), 0U);
}

TEST_F(Adopt, a_stop_after_which_nothing_was_left_is_done)
{
    auto left = left_behind(ServiceState::stopping);
    left.stop_requested = true;
    EXPECT_EQ(carry_on(left).reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::stopped);
    const auto main = ended_process();
    write_main(main);
    left = with_noted_end(ServiceState::stopping, main, 0);
    left.stop_requested = true;
    EXPECT_EQ(carry_on(left).reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::stopped);
    EXPECT_EQ(runs(), 0U);
}

TEST_F(Adopt, a_living_process_is_believed_though_the_last_one_had_its_number)
{
    const Program program(play({"sleep_forever"}));
    write_main(program.process().identity());
    auto& child = carry_on(with_noted_end(ServiceState::starting, program.process().identity(), 3));
    ASSERT_TRUE(test::eventually([&] { return state()->supervisor.pid == child.pid(); }));
    EXPECT_EQ(ask(Request::start)->main_pid, program.pid());
    EXPECT_EQ(runs(), 0U);
}

TEST_F(Adopt, a_process_that_only_has_the_number_is_no_main_process)
{
    const Program stranger(play({"sleep_forever"}));
    auto identity = stranger.process().identity();
    ++identity.start_time;
    write_main(identity);
    carry_on(left_behind(ServiceState::running));
    ASSERT_TRUE(test::eventually([&] { return runs() == 1; }));
    EXPECT_TRUE(stranger.alive());
}

TEST_F(Adopt, nothing_is_started_over_a_record_that_cannot_be_read)
{
    ASSERT_TRUE(record_->write_state(left_behind(ServiceState::running)));
    const Program program(play({"sleep_forever"}));
    write_main(program.process().identity());
    auto given = assignment(counted("exec sleep 1000"));
    given.adopt = true;
    const std::string file = scratch_ / "run/web/record";
    const std::string good = test::content_of(file);
    scratch_.write("run/web/record", std::string(good.size() + 65536, '\x55'));
    supervise(std::move(given));
    ASSERT_TRUE(test::eventually([&] { return events().find("cannot read") != std::string::npos; }));
    EXPECT_EQ(runs(), 0U);
    scratch_.write("run/web/record", good);
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(pid_file()).empty(); }));
    EXPECT_EQ(ask(Request::start)->main_pid, program.pid());
    EXPECT_EQ(runs(), 0U);
}

// A start that found record and process, and lost the process on the way.
TEST_F(Adopt, who_asked_for_a_start_gets_a_new_run_when_the_recorded_one_turns_out_dead_whatever_the_policy)
{
    spec_.restart.policy = RestartPolicyKind::never;
    for (const auto state : {ServiceState::running, ServiceState::backing_off}) {
        write_main(ended_process());
        auto left = left_behind(state);
        left.restarts = 1;
        left.next_start = std::chrono::system_clock::now() + 1h;
        EXPECT_TRUE(record_->write_state(left));
        auto given = assignment(counted("exec sleep 1000"));
        given.adopt = true;
        auto& child = keep(std::move(given));
        const auto reply = first_report();
        ASSERT_TRUE(reply);
        EXPECT_FALSE(reply->error) << reply->error->message();
        EXPECT_EQ(reply->main_pid, main().pid);
        EXPECT_EQ(state_now(), ServiceState::running);
        ASSERT_TRUE(ask(Request::stop));
        EXPECT_EQ(child.reap(), 0);
    }
    EXPECT_EQ(runs(), 2U);
}

// A keeper's word on how the main process ended comes before the supervisor asks for it.
class AdoptWithNotice : public Adopt {
  protected:
    test::TestChild& carry_on_told(ServiceState state, int signal)
    {
        const auto main = ended_process();
        write_main(main);
        EXPECT_TRUE(record_->write_state(left_behind(state)));
        auto given = assignment(counted("exec sleep 1000"));
        given.adopt = true;
        const auto notices = os::make_message_pair();
        const ExitNotice notice{.pid = main.pid, .code = signal, .signalled = 1, .core_dumped = 0};
        EXPECT_TRUE(os::send_message(notices->write, std::as_bytes(std::span(&notice, 1))));
        return *runs_.emplace_back(std::make_unique<test::TestChild>([&]() -> int {
            log::EventLog events(log::EventLog::Sink::file, scratch_ / "steward.log");
            auto supervisor = Supervisor::create(
                {&given}, {.keeper = os::self_identity(), .exit_notices = notices->read, .start_report = {}, .events = &events});
            return supervisor && (*supervisor)->run() ? 0 : 1;
        }));
    }
};

TEST_F(AdoptWithNotice, the_exit_status_that_the_keeper_tells_is_believed)
{
    spec_.restart.policy = RestartPolicyKind::never;
    EXPECT_EQ(carry_on_told(ServiceState::running, SIGSEGV).reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::failed);
    EXPECT_EQ(to_string(*state()->last_exit), "signal 11 (SEGV)");
    EXPECT_EQ(runs(), 0U);
}

TEST_F(AdoptWithNotice, a_child_that_died_before_exec_because_nobody_heard_its_report_was_no_run)
{
    spec_.restart.policy = RestartPolicyKind::never;
    carry_on_told(ServiceState::starting, SIGPIPE);
    EXPECT_TRUE(becomes(ServiceState::running));
    EXPECT_TRUE(test::eventually([&] { return runs() == 1; }));
}

TEST_F(AdoptWithNotice, a_program_that_ran_and_died_of_the_same_signal_was_one)
{
    spec_.restart.policy = RestartPolicyKind::never;
    EXPECT_EQ(carry_on_told(ServiceState::running, SIGPIPE).reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::finished);
    EXPECT_EQ(runs(), 0U);
}

}  // namespace
}  // namespace steward::supervise
