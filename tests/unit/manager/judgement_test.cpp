// The cases of steward(8), "HOW IT TELLS", by records and PID files written by hand.
#include "manager/judgement.hpp"

#include <sys/stat.h>

#include "managing.hpp"

namespace steward::manager {
namespace {

using test::play;
using test::Program;
using testing::HasSubstr;
using Verdict = Judgement::Verdict;
using namespace std::chrono_literals;

class JudgementTest : public test::Host {
  protected:
    void SetUp() override
    {
        Host::SetUp();
        write_sleeper();
    }
    [[nodiscard]] Judgement judged(Lease lease = Lease::look) const
    {
        auto judgement = judge(locate(), lease);
        EXPECT_TRUE(judgement) << judgement.error().message();
        if (!judgement) return {};
        return std::move(*judgement);
    }
    void write_state(ServiceState state) const { ASSERT_TRUE(record().write_state(a_state(state))); }
    void hold_lease()
    {
        held_by_another([&] {
            auto lease = record().take_lease();
            return lease && *lease ? std::move(*lease) : std::nullopt;
        });
    }
};

TEST_F(JudgementTest, of_what_was_never_started_is_stopped)
{
    const auto judgement = judged();
    EXPECT_EQ(judgement.verdict, Verdict::stopped);
    EXPECT_EQ(judgement.pid_file, pid_file());
    EXPECT_FALSE(judgement.pid_file_exists);
    EXPECT_FALSE(judgement.main);
}

TEST_F(JudgementTest, with_the_lease_held_is_supervised_whatever_the_state)
{
    hold_lease();
    for (const auto state :
         {ServiceState::starting, ServiceState::running, ServiceState::stopping, ServiceState::backing_off, ServiceState::failed}) {
        write_state(state);
        EXPECT_EQ(judged().verdict, Verdict::supervised) << to_string(state);
    }
}

TEST_F(JudgementTest, with_the_lease_held_names_the_main_process_only_while_it_lives)
{
    hold_lease();
    write_state(ServiceState::running);
    {
        const Program main(play({"sleep_forever"}));
        write_main(main.process().identity());
        ASSERT_TRUE(judged().main);
        EXPECT_EQ(judged().main->pid(), main.pid());
    }
    EXPECT_FALSE(judged().main);
    EXPECT_EQ(judged().verdict, Verdict::supervised);
}

TEST_F(JudgementTest, with_the_lease_held_and_nothing_recorded_is_a_start_under_way)
{
    hold_lease();
    EXPECT_EQ(judged().verdict, Verdict::launching);
}

TEST_F(JudgementTest, does_not_hear_a_lease_that_is_the_callers_own)
{
    hold_lease();
    write_state(ServiceState::running);
    EXPECT_EQ(judged(Lease::ours).verdict, Verdict::dead);
}

TEST_F(JudgementTest, with_the_lease_free_and_the_main_process_alive_is_alone)
{
    const Program main(play({"sleep_forever"}));
    write_main(main.process().identity());
    for (const auto state : {ServiceState::starting, ServiceState::running, ServiceState::stopping}) {
        write_state(state);
        EXPECT_EQ(judged().verdict, Verdict::alone) << to_string(state);
        EXPECT_EQ(judged().main->pid(), main.pid());
    }
}

TEST_F(JudgementTest, with_the_lease_free_and_the_main_process_gone_is_dead_where_the_record_says_running)
{
    Program main(play({"exit_with", "0"}));
    write_main(main.process().identity());
    static_cast<void>(main.wait());
    for (const auto state :
         {ServiceState::starting, ServiceState::running, ServiceState::reloading, ServiceState::stopping, ServiceState::backing_off}) {
        write_state(state);
        const auto judgement = judged();
        EXPECT_EQ(judgement.verdict, Verdict::dead) << to_string(state);
        EXPECT_FALSE(judgement.pid_file_exists);
        EXPECT_TRUE(judgement.same_boot);
    }
    for (const auto state : {ServiceState::stopped, ServiceState::failed, ServiceState::finished}) {
        write_state(state);
        EXPECT_EQ(judged().verdict, Verdict::stopped) << to_string(state);
    }
}

TEST_F(JudgementTest, takes_a_zombie_for_dead)
{
    const Program main(play({"exit_with", "0"}));
    write_main(main.process().identity());
    write_state(ServiceState::running);
    ASSERT_TRUE(test::eventually([&] { return !main.alive(); }));
    EXPECT_EQ(judged().verdict, Verdict::dead);
}

TEST_F(JudgementTest, does_not_take_who_got_the_number_for_the_service)
{
    const Program stranger(play({"sleep_forever"}));
    auto identity = stranger.process().identity();
    ++identity.start_time;
    write_main(identity);
    write_state(ServiceState::running);
    const auto judgement = judged();
    EXPECT_EQ(judgement.verdict, Verdict::dead);
    EXPECT_FALSE(judgement.main);
}

TEST_F(JudgementTest, of_another_boot_believes_no_process_and_no_cgroup)
{
    const Program main(play({"sleep_forever"}));
    write_main(main.process().identity());
    auto state = a_state(ServiceState::running);
    state.boot.boot_id = "0bd6bd8a-5c4e-4a3c-a8a4-2f6a7f0c9a11";
    ASSERT_TRUE(record().write_state(state));
    const auto judgement = judged();
    EXPECT_EQ(judgement.verdict, Verdict::dead);
    EXPECT_FALSE(judgement.same_boot);
    EXPECT_FALSE(judgement.main);
}

TEST_F(JudgementTest, of_another_pid_namespace_is_stale_with_the_lease_free_and_refused_with_it_held)
{
    const Program main(play({"sleep_forever"}));
    write_main(main.process().identity());
    auto state = a_state(ServiceState::running);
    ++state.boot.pid_namespace;
    ASSERT_TRUE(record().write_state(state));
    EXPECT_EQ(judged().verdict, Verdict::dead);
    hold_lease();
    const auto judgement = judged();
    EXPECT_EQ(judgement.verdict, Verdict::undeterminable);
    EXPECT_THAT(judgement.reason, HasSubstr("PID namespace"));
    EXPECT_EQ(refusal(judgement, "stop", "web").code, ErrorCode::undeterminable);
}

TEST_F(JudgementTest, of_a_launch_without_a_supervisor_is_launching_until_its_outcome)
{
    write_state(ServiceState::starting);
    auto& launch = held_by_another([&] { return record().lock_launch(); });
    EXPECT_EQ(judged().verdict, Verdict::launching);
    EXPECT_EQ(judged(Lease::ours).verdict, Verdict::launching);
    kill(launch.pid(), SIGKILL);
    launch.reap();
    EXPECT_EQ(judged().verdict, Verdict::dead);
}

TEST_F(JudgementTest, of_a_damaged_record_is_undeterminable)
{
    write_state(ServiceState::running);
    scratch_.write("run/web/record", std::string(65536, '\x55'));
    EXPECT_EQ(judged().verdict, Verdict::undeterminable);
}

TEST_F(JudgementTest, hears_the_pid_file_where_the_record_proves_nothing)
{
    const std::string own = std::to_string(getpid());
    struct Case {
        std::string content;
        Verdict verdict;
    };
    for (const auto& [content, verdict] :
         {Case{own + "\n", Verdict::dead}, Case{own, Verdict::dead}, Case{own + "\r\n", Verdict::dead}, Case{"4194303\n", Verdict::dead},
          Case{"", Verdict::dead}, Case{"  \n", Verdict::dead}, Case{"abc\n", Verdict::refused}, Case{"-1\n", Verdict::refused},
          Case{"0\n", Verdict::refused}, Case{"1\n", Verdict::refused}, Case{"+7\n", Verdict::refused}, Case{"0x10\n", Verdict::refused},
          Case{"12abc\n", Verdict::refused}, Case{"4294967297\n", Verdict::refused}, Case{std::string("12\0", 3), Verdict::refused}}) {
        scratch_.write("run/web.pid", content);
        const auto judgement = judged();
        EXPECT_EQ(judgement.verdict, verdict) << "'" << content << "'";
        EXPECT_TRUE(judgement.pid_file_exists);
        EXPECT_THAT(judgement.reason, HasSubstr("PID file '" + pid_file() + "'"));
        const auto code = refusal(judgement, "stop", "web").code;
        EXPECT_EQ(code == ErrorCode::untrusted_pid_file, verdict == Verdict::refused);
    }
}

TEST_F(JudgementTest, refuses_what_is_no_plain_file)
{
    ASSERT_EQ(mkfifo(pid_file().c_str(), 0644), 0);
    EXPECT_EQ(judged().verdict, Verdict::refused);
    ASSERT_EQ(unlink(pid_file().c_str()), 0);
    ASSERT_EQ(symlink("/etc/passwd", pid_file().c_str()), 0);
    EXPECT_EQ(judged().verdict, Verdict::refused);
}

TEST_F(JudgementTest, does_not_hear_a_pid_file_while_the_record_proves_that_it_runs)
{
    const Program main(play({"sleep_forever"}));
    write_main(main.process().identity());
    write_state(ServiceState::running);
    scratch_.write("run/web.pid", "abc\n");
    EXPECT_EQ(judged().verdict, Verdict::alone);
    ASSERT_EQ(unlink(pid_file().c_str()), 0);
    EXPECT_EQ(judged().verdict, Verdict::alone);
}

TEST_F(JudgementTest, looks_for_the_pid_file_where_the_record_says_then_where_the_service_file_says)
{
    write_sleeper("pid-file = \"" + scratch_ / "file.pid" + "\"\n");
    EXPECT_EQ(judged().pid_file, scratch_ / "file.pid");
    auto state = a_state(ServiceState::stopped);
    state.pid_file = scratch_ / "recorded.pid";
    ASSERT_TRUE(record().write_state(state));
    EXPECT_EQ(judged().pid_file, scratch_ / "recorded.pid");
}

TEST_F(JudgementTest, asks_the_service_file_only_where_the_record_does_not_say)
{
    write_state(ServiceState::stopped);
    bool asked = false;
    ASSERT_TRUE(judge(locate(), [&] {
        asked = true;
        return ExpectedPidFile{};
    }));
    EXPECT_FALSE(asked);
}

}  // namespace
}  // namespace steward::manager
