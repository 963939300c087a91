// Verbs on services that an init system knows, or may know: one that only says and notes what the test wants.
#include <filesystem>

#include "manager/delegate.hpp"
#include "manager/together.hpp"
#include "manager/verbs.hpp"
#include "managing.hpp"

namespace steward::manager {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t pid_there = 4194303;

struct Script {
    bool known = true;
    init::Told told;
    std::vector<std::string> called;
    std::optional<Error> no_answer;
    std::optional<Error> failure;
    bool waits = true;  // until the outcome is known
    ServiceState after_start = ServiceState::running;
    std::int64_t pid_after_start = pid_there;
};

class FakeAuthority final : public init::Authority {
  public:
    explicit FakeAuthority(Script& script) : script_(script) {}

    [[nodiscard]] InitSystem system() const override { return InitSystem::systemd; }
    Result<std::optional<init::Told>> look(const std::string&, init::Ask) override
    {
        if (script_.no_answer) return fail(*script_.no_answer);
        return script_.known ? std::optional(script_.told) : std::nullopt;
    }
    Result<void> start(const std::string& name, const init::JobOptions& options) override
    {
        script_.told.main_pid = script_.pid_after_start;
        return note("start", name + (options.wait ? "" : " unawaited"), script_.after_start);
    }
    Result<void> stop(const std::string& name) override { return note("stop", name, ServiceState::stopped); }
    Result<void> restart(const std::string& name, const init::JobOptions&) override { return note("restart", name, ServiceState::running); }
    Result<void> reload(const std::string& name) override { return note("reload", name, script_.told.state); }
    Result<void> signal(const std::string& name, int signal) override
    {
        return note("signal " + signal_name(signal), name, script_.told.state);
    }
    std::vector<std::string> last_lines(const std::string&, const init::Told&, unsigned count) override
    {
        return std::vector<std::string>(count, "said there");
    }
    [[nodiscard]] bool waits_for_outcome() const override { return script_.waits; }
    Result<void> take_from_session(const std::string& name, const std::string&) override { return note("take", name, script_.told.state); }

  private:
    Result<void> note(const std::string& verb, const std::string& name, ServiceState after)
    {
        script_.called.push_back(verb + " " + name);
        if (script_.failure) return fail(*script_.failure);
        script_.told.state = after;
        return {};
    }

    Script& script_;
};

class DelegateTest : public test::Host {
  protected:
    DelegateTest() { write_sleeper(); }

    [[nodiscard]] Located web()
    {
        Located located = locate();
        located.init_system = [this](Scope) { return std::make_unique<FakeAuthority>(script_); };
        return located;
    }
    Result<StartOutcome> started()
    {
        auto located = web();
        return start(located, {});
    }
    Result<StopOutcome> stopped()
    {
        auto located = web();
        return stop(located);
    }
    [[nodiscard]] ServiceStatus told(unsigned lines = 0)
    {
        const auto status = manager::status(web(), {.last_lines = lines, .usage = false});
        EXPECT_TRUE(status) << status.error().message();
        return status.value_or(ServiceStatus{});
    }
    Result<StartOutcome> started_here()
    {
        auto located = locate();
        return start(located, {});
    }
    void write_record(ServiceState state, std::chrono::system_clock::time_point since, const std::string& reason,
                      std::int32_t supervisor = 0)
    {
        auto made = a_state(state);
        made.since = since;
        made.reason = reason;
        made.supervisor.pid = supervisor;
        ASSERT_TRUE(record().write_state(made));
    }

    Script script_;
};

TEST_F(DelegateTest, what_the_init_system_knows_it_starts_and_stops)
{
    const auto up = started();
    ASSERT_TRUE(up) << up.error().message();
    EXPECT_FALSE(up->already_running);
    EXPECT_EQ(up->main_pid, pid_there);
    EXPECT_TRUE(started()->already_running);

    const auto down = stopped();
    ASSERT_TRUE(down) << down.error().message();
    EXPECT_TRUE(down->was_running);
    EXPECT_FALSE(stopped()->was_running);
    EXPECT_THAT(script_.called, ElementsAre("start web", "start web", "stop web", "stop web"));
    EXPECT_FALSE(std::filesystem::exists(pid_file()));
}

TEST_F(DelegateTest, what_it_does_not_know_is_started_here_out_of_the_session)
{
    script_.known = false;
    const auto up = started();
    ASSERT_TRUE(up) << up.error().message();
    EXPECT_TRUE(test::lives(static_cast<std::int32_t>(up->main_pid)));
    EXPECT_THAT(script_.called, ElementsAre("take web"));
    EXPECT_EQ(told().init_system, "");
    EXPECT_TRUE(stopped()->was_running);
    EXPECT_THAT(script_.called, ElementsAre("take web"));
}

TEST_F(DelegateTest, here_asks_nobody)
{
    const auto up = started_here();
    ASSERT_TRUE(up) << up.error().message();
    auto located = locate();
    EXPECT_TRUE(stop(located)->was_running);
    EXPECT_THAT(script_.called, IsEmpty());
}

TEST_F(DelegateTest, a_service_without_a_file_is_nobody_elses)
{
    auto located = web();
    located.ad_hoc = {test::helper("sleep_forever")};
    EXPECT_FALSE(Delegate::of(located)->has_value());
}

TEST_F(DelegateTest, what_was_started_beside_it_is_neither_started_twice_nor_left)
{
    const auto up = started_here();
    ASSERT_TRUE(up) << up.error().message();
    const auto again = started();
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_TRUE(again->already_running);
    EXPECT_EQ(again->main_pid, up->main_pid);
    EXPECT_EQ(told().main_pid, up->main_pid);
    EXPECT_EQ(told().init_system, "systemd");
    EXPECT_THAT(script_.called, IsEmpty());

    EXPECT_TRUE(stopped()->was_running);
    EXPECT_FALSE(test::lives(static_cast<std::int32_t>(up->main_pid)));
    EXPECT_EQ(told().state, ServiceState::stopped);
}

TEST_F(DelegateTest, a_failure_is_told_as_it_is)
{
    script_.failure = Error{.operation = "start", .object = "web", .cause = "systemd says 'exit-code'", .detail = {"no licence"}};
    const auto up = started();
    ASSERT_FALSE(up);
    EXPECT_EQ(up.error().message(), "cannot start web: systemd says 'exit-code'");
    EXPECT_THAT(up.error().detail, ElementsAre("no licence"));
    EXPECT_FALSE(stopped());
}

TEST_F(DelegateTest, an_init_system_that_does_not_answer_is_never_passed_over)
{
    script_.no_answer = Error{.operation = "talk to", .object = "systemd", .cause = "Connection refused"};
    EXPECT_FALSE(started());
    EXPECT_FALSE(stopped());
    const auto status = told();
    EXPECT_EQ(status.state, ServiceState::unknown);
    EXPECT_EQ(status.lsb_code, 4);
    EXPECT_THAT(status.reason, HasSubstr("talk to systemd"));
}

TEST_F(DelegateTest, a_running_service_of_steward_is_known_whoever_does_not_answer)
{
    ASSERT_TRUE(started_here());
    script_.no_answer = Error{.operation = "talk to", .object = "systemd", .cause = "Connection refused"};
    EXPECT_EQ(told().state, ServiceState::running);
}

TEST_F(DelegateTest, restart_is_one_request)
{
    script_.told.state = ServiceState::running;
    const auto outcome = restart_together(web(), {}, RestartWhat::anything, {});
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_FALSE((*outcome)->already_running);
    EXPECT_THAT(script_.called, ElementsAre("restart web"));
}

TEST_F(DelegateTest, a_broken_service_file_is_found_before_the_restart)
{
    script_.told.state = ServiceState::running;
    write_service("[service]\ncommand = [\"/nowhere/at/all\"]\n");
    const auto outcome = restart_together(web(), {}, RestartWhat::anything, {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::program_missing);
    EXPECT_THAT(script_.called, IsEmpty());
}

TEST_F(DelegateTest, try_restart_leaves_a_stopped_service_stopped)
{
    const auto outcome = restart_together(web(), {}, RestartWhat::running, {});
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_FALSE(outcome->has_value());
    EXPECT_EQ(script_.told.state, ServiceState::stopped);
}

TEST_F(DelegateTest, reload_and_signal_go_to_what_runs)
{
    auto located = web();
    EXPECT_EQ(reload(located).error().code, ErrorCode::not_running);
    EXPECT_EQ(signal_main(located, SIGHUP).error().code, ErrorCode::not_running);
    EXPECT_THAT(script_.called, IsEmpty());
    script_.told.state = ServiceState::running;
    EXPECT_TRUE(reload(located));
    EXPECT_TRUE(signal_main(located, SIGHUP));
    EXPECT_THAT(script_.called, ElementsAre("reload web", "signal HUP web"));
    script_.told.can_reload = false;
    EXPECT_EQ(reload(located).error().code, ErrorCode::unsupported);
}

TEST_F(DelegateTest, status_tells_what_the_init_system_says)
{
    const auto now = std::chrono::system_clock::now();
    script_.told = {.boot = init::BootState::enabled,
                    .state = ServiceState::running,
                    .reason = {},
                    .main_pid = pid_there,
                    .last_pid = pid_there,
                    .restarts = 3,
                    .since = now,
                    .last_exit = {},
                    .can_reload = true,
                    .began = {}};
    const auto status = told(2);
    EXPECT_EQ(status.state, ServiceState::running);
    EXPECT_EQ(status.lsb_code, 0);
    EXPECT_EQ(status.main_pid, pid_there);
    EXPECT_EQ(status.restarts, 3U);
    EXPECT_EQ(status.since, now);
    EXPECT_EQ(status.init_system, "systemd");
    EXPECT_EQ(status.boot, "enabled");
    EXPECT_THAT(status.last_lines, ElementsAre("said there", "said there"));
    EXPECT_EQ(status.log_file, "");
}

TEST_F(DelegateTest, a_log_that_the_service_file_names_is_read_wherever_it_runs)
{
    write_sleeper("[log]\nfile = \"" + scratch_ / "own.log" + "\"\n");
    scratch_.write("own.log", "said here\n");
    script_.told.state = ServiceState::running;
    EXPECT_THAT(told(2).last_lines, ElementsAre("said here"));
}

TEST_F(DelegateTest, each_boot_state_has_a_word)
{
    const std::vector<std::pair<init::BootState, std::string>> words{{init::BootState::unknown, ""},
                                                                     {init::BootState::disabled, "disabled"},
                                                                     {init::BootState::enabled, "enabled"},
                                                                     {init::BootState::masked, "masked"},
                                                                     {init::BootState::always, "static"}};
    for (const auto& [state, word] : words) {
        script_.told.boot = state;
        EXPECT_EQ(told().boot, word);
    }
}

// Of an ended service the one who saw it run last is believed.
TEST_F(DelegateTest, of_two_that_saw_it_end_the_later_is_believed)
{
    const auto now = std::chrono::system_clock::now();
    script_.told.state = ServiceState::failed;
    script_.told.reason = "systemd says 'timeout'";
    script_.told.since = now;
    write_record(ServiceState::failed, now - 1h, "it has no licence");
    EXPECT_EQ(told().reason, "systemd says 'timeout'");
    EXPECT_EQ(told().since, now);
    write_record(ServiceState::failed, now + 1s, "it has no licence");
    EXPECT_EQ(told().reason, "it has no licence");
}

TEST_F(DelegateTest, of_a_run_of_stewards_own_below_a_unit_the_record_is_believed)
{
    const auto now = std::chrono::system_clock::now();
    script_.told.state = ServiceState::failed;
    script_.told.reason = "systemd says 'exit-code': exit code 1";
    script_.told.since = now;
    script_.told.last_pid = 4711;
    write_record(ServiceState::failed, now - 1s, "it has no licence", 4711);
    EXPECT_EQ(told().reason, "it has no licence");
}

TEST_F(DelegateTest, an_init_system_that_tells_no_time_leaves_the_end_to_the_record)
{
    script_.told.state = ServiceState::stopped;
    write_record(ServiceState::failed, std::chrono::system_clock::now(), "it has no licence");
    EXPECT_EQ(told().state, ServiceState::failed);
    EXPECT_EQ(told().lsb_code, 3);
}

TEST_F(DelegateTest, a_start_that_was_only_begun_is_watched_until_it_has_failed)
{
    script_.waits = false;
    script_.after_start = ServiceState::stopped;
    EXPECT_EQ(started().error().message(), "cannot start web: it ended at once");
    write_record(ServiceState::failed, std::chrono::system_clock::now(), "it has no licence");
    EXPECT_EQ(started().error().message(), "cannot start web: it has no licence");
}

TEST_F(DelegateTest, what_ended_before_it_was_seen_to_begin_is_explained_by_the_record)
{
    script_.waits = false;
    script_.failure = Error{.operation = "start", .object = "web", .cause = "sv ended with exit code 1"};
    EXPECT_EQ(started().error().message(), "cannot start web: sv ended with exit code 1");
    write_record(ServiceState::failed, std::chrono::system_clock::now() + 1h, "it has no licence");
    EXPECT_EQ(started().error().message(), "cannot start web: it has no licence");
}

TEST_F(DelegateTest, a_start_that_was_only_begun_is_done_when_steward_below_it_says_so)
{
    const auto up = started_here();
    ASSERT_TRUE(up) << up.error().message();
    script_.waits = false;
    script_.told.state = ServiceState::running;
    const auto again = started();
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->main_pid, up->main_pid);
}

TEST_F(DelegateTest, a_program_that_was_begun_without_steward_is_not_watched)
{
    script_.waits = false;
    script_.pid_after_start = getpid();
    const auto up = started();
    ASSERT_TRUE(up) << up.error().message();
    EXPECT_EQ(up->main_pid, getpid());
}

TEST_F(DelegateTest, no_wait_reaches_the_init_system)
{
    auto located = web();
    ASSERT_TRUE(start(located, {.wait = false, .timeout = {}}));
    EXPECT_THAT(script_.called, ElementsAre("start web unawaited"));
}

}  // namespace
}  // namespace steward::manager
