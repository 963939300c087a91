// The verbs as a library offers them, on real services. What the command line makes of them is tested by tests/integration.
#include <steward/manager.hpp>

#include <sys/stat.h>

#include <filesystem>

#include "managing.hpp"
#include "os/spawn.hpp"

namespace steward {
namespace {

using test::helper;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class Verbs : public test::Host {
  protected:
    [[nodiscard]] static Target web() { return {.name = "web", .file = {}, .command = {}}; }
    void write_script(const std::string& script, const std::string& more = "") const
    {
        scratch_.write("script", script);
        write_service("[service]\ncommand = [\"/bin/sh\", \"" + scratch_ / "script" + "\"]\n" + more);
    }
    [[nodiscard]] ServiceStatus status() const
    {
        const auto told = manager_.status(web());
        EXPECT_TRUE(told) << told.error().message();
        return told.value_or(ServiceStatus{});
    }
    // Keeper and supervisor at once, so that neither can make the other anew.
    void kill_pair() const
    {
        const auto now = status();
        kill(static_cast<pid_t>(now.keeper_pid), SIGSTOP);
        for (const auto pid : {now.supervisor_pid, now.keeper_pid}) kill(static_cast<pid_t>(pid), SIGKILL);
        ASSERT_TRUE(test::eventually([&] { return !status().supervisor_alive; }));
        reap();
    }
    static void reap()
    {
        while (auto reaped = os::reap_any()) {
            if (!*reaped) return;
        }
    }
    [[nodiscard]] static bool alive(std::int64_t pid) { return test::lives(static_cast<std::int32_t>(pid)); }

    Manager manager_;
};

class BothWays : public Verbs, public testing::WithParamInterface<bool> {
  protected:
    [[nodiscard]] static std::string supervise() { return GetParam() ? "" : "supervise = false\n"; }
};
INSTANTIATE_TEST_SUITE_P(Supervised, BothWays, testing::Values(true), [](const auto&) { return "web"; });
INSTANTIATE_TEST_SUITE_P(Alone, BothWays, testing::Values(false), [](const auto&) { return "web"; });

TEST_P(BothWays, start_and_stop_do_what_they_say)
{
    write_sleeper(supervise());
    const auto started = manager_.start(web());
    ASSERT_TRUE(started) << started.error().message();
    EXPECT_FALSE(started->already_running);
    EXPECT_TRUE(alive(started->main_pid));
    EXPECT_EQ(test::content_of(pid_file()), std::to_string(started->main_pid) + "\n");
    EXPECT_EQ(status().state, ServiceState::running);
    EXPECT_EQ(status().lsb_code, 0);
    EXPECT_EQ(status().supervised, GetParam());

    const auto again = manager_.start(web());
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->already_running);
    EXPECT_EQ(again->main_pid, started->main_pid);

    const auto stopped = manager_.stop(web());
    ASSERT_TRUE(stopped) << stopped.error().message();
    EXPECT_TRUE(stopped->was_running);
    EXPECT_FALSE(alive(started->main_pid));
    EXPECT_EQ(test::content_of(pid_file()), "");
    EXPECT_EQ(status().lsb_code, 3);
    EXPECT_FALSE(manager_.stop(web())->was_running);
}

TEST_P(BothWays, a_start_that_fails_leaves_nothing_and_tells_why)
{
    write_script("echo 'no such port' >&2; exit 7\n", supervise());
    const auto started = manager_.start(web());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::exited_early);
    EXPECT_THAT(started.error().detail, ElementsAre("no such port"));
    EXPECT_EQ(status().state, ServiceState::failed);
    EXPECT_FALSE(std::filesystem::exists(pid_file()));
    EXPECT_TRUE(test::eventually([&] {
        reap();
        return os::process_tree(os::self_pid()).size() == 1;
    }));
}

TEST_P(BothWays, a_start_without_waiting_still_tells_that_the_program_cannot_be_executed)
{
    scratch_.write("program", "no program");
    ASSERT_EQ(chmod((scratch_ / "program").c_str(), 0755), 0);
    write_service("[service]\ncommand = [\"" + scratch_ / "program" + "\"]\n" + supervise());
    const auto started = manager_.start(web(), {.wait = false, .timeout = {}});
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("cannot execute"));
    EXPECT_EQ(status().state, ServiceState::failed);
}

TEST_P(BothWays, a_start_without_waiting_returns_before_the_program_is_up)
{
    write_script("while :; do :; done\n", supervise());
    const auto started = manager_.start(web(), {.wait = false, .timeout = {}});
    ASSERT_TRUE(started) << started.error().message();
    EXPECT_TRUE(alive(started->main_pid));
    ASSERT_TRUE(manager_.stop(web()));
    EXPECT_FALSE(alive(started->main_pid));
}

TEST_F(Verbs, a_stop_right_after_a_start_without_waiting_finds_it)
{
    for (int round = 0; round < 10; ++round) {
        std::filesystem::remove_all(scratch_ / "run/web");
        write_sleeper();
        const auto started = manager_.start(web(), {.wait = false, .timeout = {}});
        ASSERT_TRUE(started);
        const auto stopped = manager_.stop(web());
        ASSERT_TRUE(stopped);
        EXPECT_TRUE(stopped->was_running);
        EXPECT_FALSE(alive(started->main_pid));
    }
}

TEST_F(Verbs, a_start_that_is_not_up_in_time_is_not_left_behind)
{
    write_script("while :; do :; done\n");
    const auto started = manager_.start(web(), {.wait = true, .timeout = 20ms});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::timed_out);
    EXPECT_EQ(status().lsb_code, 3);
    EXPECT_TRUE(test::eventually([&] {
        reap();
        return os::process_tree(os::self_pid()).size() == 1;
    }));
}

TEST_F(Verbs, a_start_comes_after_a_stop_that_is_under_way)
{
    write_script("trap '' TERM; while :; do sleep 0.01; done\n", "[stop]\ntimeout = \"300ms\"\n");
    const auto first = manager_.start(web());
    ASSERT_TRUE(first);
    // Not by a verb, which would hold the verb lock: the supervisor is told to end.
    kill(static_cast<pid_t>(status().supervisor_pid), SIGTERM);
    ASSERT_TRUE(test::eventually([&] { return status().state == ServiceState::stopping; }));
    const auto second = manager_.start(web());
    ASSERT_TRUE(second) << second.error().message();
    EXPECT_FALSE(second->already_running);
    EXPECT_NE(second->main_pid, first->main_pid);
    EXPECT_FALSE(alive(first->main_pid));
}

TEST_F(Verbs, what_lost_keeper_and_supervisor_is_stopped_with_its_exit_noted)
{
    write_sleeper();
    const auto started = manager_.start(web());
    ASSERT_TRUE(started);
    kill_pair();
    EXPECT_TRUE(alive(started->main_pid));
    EXPECT_THAT(status().reason, HasSubstr("start adopts it"));
    // The test is the parent by now, and has to reap it for the kernel to tell.
    auto reaper = test::TestChild([&] { return manager_.stop(web()) ? 0 : 1; });
    ASSERT_TRUE(test::eventually([&] { return !alive(started->main_pid); }));
    static_cast<void>(os::reap_blocking(static_cast<std::int32_t>(started->main_pid)));
    EXPECT_EQ(reaper.reap(), 0);
    const auto now = status();
    EXPECT_EQ(now.lsb_code, 3);
    ASSERT_TRUE(now.last_exit);
    EXPECT_THAT(to_string(*now.last_exit), testing::AnyOf("signal 15 (TERM)", HasSubstr("unknown")));
    EXPECT_FALSE(std::filesystem::exists(pid_file()));
}

TEST_F(Verbs, what_lost_keeper_and_supervisor_is_taken_over_as_it_was_started)
{
    write_sleeper("pid-file = \"" + scratch_ / "run/first.pid" + "\"\n");
    const auto started = manager_.start(web());
    ASSERT_TRUE(started);
    kill_pair();
    write_service("broken");
    const auto adopted = manager_.start(web());
    ASSERT_TRUE(adopted) << adopted.error().message();
    EXPECT_TRUE(adopted->adopted);
    EXPECT_EQ(adopted->main_pid, started->main_pid);
    const auto now = status();
    EXPECT_TRUE(now.supervisor_alive);
    EXPECT_EQ(now.pid_file, scratch_ / "run/first.pid");
    EXPECT_TRUE(now.service_file_changed);
    EXPECT_TRUE(manager_.stop(web()));
    EXPECT_FALSE(std::filesystem::exists(scratch_ / "run/first.pid"));
}

TEST_F(Verbs, restart_leaves_the_old_service_running_where_the_new_file_could_not_be_started)
{
    write_sleeper();
    const auto started = manager_.start(web());
    ASSERT_TRUE(started);
    std::filesystem::create_symlink("/etc/passwd", scratch_ / "run/new.pid");
    for (const std::string& file :
         {std::string("[service]\ncommand = 7\n"), std::string("[service]\ncommand = [\"/no/such/program\"]\n"),
          "[service]\ncommand = [\"" + helper("sleep_forever") + "\"]\npid-file = \"" + scratch_ / "run/new.pid" + "\"\n"}) {
        write_service(file);
        EXPECT_FALSE(manager_.restart(web())) << file;
        EXPECT_TRUE(alive(started->main_pid));
        EXPECT_EQ(status().lsb_code, 0);
    }
}

TEST_F(Verbs, try_restart_does_not_start_what_is_stopped)
{
    write_sleeper();
    auto outcome = manager_.try_restart(web());
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(*outcome);
    EXPECT_EQ(status().lsb_code, 3);
    const auto started = manager_.start(web());
    outcome = manager_.try_restart(web());
    ASSERT_TRUE(outcome && *outcome);
    EXPECT_NE((*outcome)->main_pid, started->main_pid);
    EXPECT_FALSE((*outcome)->already_running);
}

TEST_F(Verbs, a_supervisor_that_does_not_answer_is_told_of_and_not_waited_for)
{
    write_sleeper("[stop]\ntimeout = \"10ms\"\n");
    ASSERT_TRUE(manager_.start(web()));
    const auto pid = static_cast<pid_t>(status().supervisor_pid);
    kill(pid, SIGSTOP);
    const auto started = manager_.start(web(), {.wait = true, .timeout = 100ms});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::timed_out);
    kill(pid, SIGCONT);
    EXPECT_TRUE(manager_.stop(web()));
}

TEST_F(Verbs, start_of_a_dead_service_goes_ahead_and_touches_no_stranger)
{
    write_sleeper();
    const test::Program stranger(test::play({"sleep_forever"}));
    auto identity = stranger.process().identity();
    ++identity.start_time;
    write_main(identity);
    ASSERT_TRUE(record().write_state(a_state(ServiceState::running)));
    scratch_.write("run/web.pid", std::to_string(stranger.pid()) + "\n");
    EXPECT_EQ(status().lsb_code, 1);
    const auto started = manager_.start(web());
    ASSERT_TRUE(started) << started.error().message();
    EXPECT_NE(started->main_pid, stranger.pid());
    EXPECT_TRUE(manager_.stop(web()));
    EXPECT_TRUE(stranger.alive());
}

TEST_F(Verbs, stop_of_a_dead_service_touches_no_stranger)
{
    write_sleeper();
    const test::Program stranger(test::play({"sleep_forever"}));
    auto identity = stranger.process().identity();
    ++identity.start_time;
    write_main(identity);
    ASSERT_TRUE(record().write_state(a_state(ServiceState::running)));
    scratch_.write("run/web.pid", std::to_string(stranger.pid()) + "\n");
    const auto stopped = manager_.stop(web());
    ASSERT_TRUE(stopped);
    EXPECT_FALSE(stopped->was_running);
    EXPECT_TRUE(stranger.alive());
    EXPECT_EQ(status().lsb_code, 3);
}

TEST_F(Verbs, reload_and_signal_of_what_does_not_run_say_so)
{
    write_sleeper("[reload]\nsignal = \"HUP\"\n");
    EXPECT_EQ(manager_.reload(web()).error().code, ErrorCode::not_running);
    EXPECT_EQ(manager_.signal(web(), SIGHUP).error().code, ErrorCode::not_running);
}

TEST_F(Verbs, nothing_is_known_of_a_service_without_file_and_record)
{
    for (const auto& error : {manager_.start(web()).error(), manager_.stop(web()).error(), manager_.status(web()).error(),
                              manager_.show(web()).error(), manager_.check(web()).error()}) {
        EXPECT_EQ(error.code, ErrorCode::unknown_service);
    }
}

TEST_F(Verbs, a_caller_that_ignores_its_children_or_has_closed_its_streams_changes_nothing)
{
    write_sleeper();
    test::TestChild caller([&] {
        signal(SIGCHLD, SIG_IGN);
        for (const int stream : {0, 1, 2}) close(stream);
        Manager manager;
        const auto started = manager.start(web());
        return started && alive(started->main_pid) ? 0 : 1;
    });
    EXPECT_EQ(caller.reap(), 0);
    EXPECT_TRUE(manager_.stop(web())->was_running);
}

TEST_F(Verbs, anothers_service_may_be_looked_at_and_not_touched)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_EQ(chmod(scratch_.path().c_str(), 0755), 0);
    write_sleeper("[reload]\nsignal = \"HUP\"\n");
    const auto started = manager_.start(web());
    ASSERT_TRUE(started);
    test::TestChild nobody([&] {
        if (!test::become_nobody()) return 100;
        Manager manager({.scope = Scope::system});
        const auto denied = [](const auto& outcome) { return !outcome && outcome.error().code == ErrorCode::not_permitted; };
        if (!denied(manager.stop(web()))) return 1;
        if (manager.stop(web()).error().message() != "cannot stop web: not permitted") return 2;
        if (!denied(manager.restart(web()))) return 3;
        if (!denied(manager.reload(web()))) return 4;
        if (!denied(manager.signal(web(), SIGTERM))) return 5;
        const auto told = manager.status(web());
        return told && told->state == ServiceState::running ? 0 : 6;
    });
    EXPECT_EQ(WEXITSTATUS(nobody.reap()), 0);
    EXPECT_TRUE(alive(started->main_pid));
}

TEST_F(Verbs, run_that_is_killed_takes_its_service_along)
{
    write_sleeper();
    test::TestChild run([] {
        Manager manager;
        return manager.run({web()}) ? 0 : 1;
    });
    ASSERT_TRUE(test::eventually([&] { return status().state == ServiceState::running; }));
    const auto main = status().main_pid;
    EXPECT_EQ(status().supervisor_pid, run.pid());
    EXPECT_EQ(status().keeper_pid, 0);
    kill(run.pid(), SIGKILL);
    EXPECT_TRUE(test::eventually([&] { return !alive(main); }));
    run.reap();
    reap();
    EXPECT_EQ(status().state, ServiceState::dead);
}

TEST_F(Verbs, run_tells_how_its_only_service_ended)
{
    write_script("exit 3\n", "[restart]\npolicy = \"never\"\n");
    test::TestChild run([] {
        Manager manager;
        const auto outcome = manager.run({web()});
        return outcome && outcome->exit ? outcome->exit->code : 100;
    });
    EXPECT_EQ(WEXITSTATUS(run.reap()), 3);
    EXPECT_EQ(status().state, ServiceState::failed);
}

TEST_F(Verbs, run_of_several_starts_none_if_one_cannot_be_started)
{
    write_sleeper();
    test::TestChild run([] {
        Manager manager;
        const auto outcome = manager.run({web(), {.name = "missing", .file = {}, .command = {}}, web()});
        return !outcome && outcome.error().code == ErrorCode::unknown_service ? 0 : 1;
    });
    EXPECT_EQ(run.reap(), 0);
    test::TestChild twice([] {
        Manager manager;
        const auto outcome = manager.run({web(), web()});
        return !outcome && outcome.error().code == ErrorCode::already_running ? 0 : 1;
    });
    EXPECT_EQ(twice.reap(), 0);
    EXPECT_EQ(status().state, ServiceState::failed);
    EXPECT_EQ(status().main_pid, 0);
}

}  // namespace
}  // namespace steward
