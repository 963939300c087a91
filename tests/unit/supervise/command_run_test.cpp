#include "supervise/command_run.hpp"

#include "supervising.hpp"

namespace steward::supervise {
namespace {

using test::plan_of;
using test::play;
using test::shell;
using namespace std::chrono_literals;

class CommandRunTest : public test::Looping {
  protected:
    Result<std::unique_ptr<CommandRun>> start(const process::LaunchPlan& plan, Duration timeout = 1h)
    {
        return CommandRun::start(*loop_, plan, timeout, [this](const CommandRun::Outcome& outcome) { outcome_ = outcome; });
    }
    [[nodiscard]] bool done()
    {
        return run_until([this] { return outcome_.has_value(); });
    }

    std::optional<CommandRun::Outcome> outcome_;
};

TEST_F(CommandRunTest, tells_success)
{
    const auto run = start(play({"exit_with", "0"}));
    ASSERT_TRUE(run);
    ASSERT_TRUE(done());
    EXPECT_TRUE(outcome_->succeeded());
}

TEST_F(CommandRunTest, tells_an_exit_code_and_a_signal)
{
    const auto failing = start(play({"exit_with", "7"}));
    ASSERT_TRUE(failing);
    ASSERT_TRUE(done());
    EXPECT_FALSE(outcome_->succeeded());
    EXPECT_EQ(to_string(*outcome_->exit), "exit code 7");

    outcome_.reset();
    const auto dying = start(shell("kill -9 $$"));
    ASSERT_TRUE(dying);
    ASSERT_TRUE(done());
    EXPECT_EQ(to_string(*outcome_->exit), "signal 9 (KILL)");
}

TEST_F(CommandRunTest, is_killed_with_its_children_when_its_time_is_over)
{
    const auto run = start(shell("sleep 1000 & echo $! >" + scratch_ / "child" + "; wait"), 200ms);
    ASSERT_TRUE(run);
    const std::int32_t pid = (*run)->pid();
    ASSERT_TRUE(test::eventually([&] { return !test::content_of(scratch_ / "child").empty(); }));
    const std::int32_t child = std::stoi(test::content_of(scratch_ / "child"));
    ASSERT_TRUE(done());
    EXPECT_TRUE(outcome_->timed_out);
    EXPECT_FALSE(outcome_->succeeded());
    EXPECT_TRUE(test::eventually([&] { return !test::lives(pid) && !test::lives(child); }));
    static_cast<void>(os::reap_blocking(pid));
}

TEST_F(CommandRunTest, is_killed_when_it_is_destroyed)
{
    auto run = start(play({"ignore_term"}));
    ASSERT_TRUE(run);
    const std::int32_t pid = (*run)->pid();
    run->reset();
    const auto reaped = os::reap_blocking(pid);
    ASSERT_TRUE(!reaped || reaped->status.code == SIGKILL);
    EXPECT_FALSE(outcome_);
}

TEST_F(CommandRunTest, hears_of_its_end_from_a_bulk_reaper_and_tells_it_once)
{
    const auto run = start(play({"sleep_forever"}));
    ASSERT_TRUE(run);
    kill((*run)->pid(), SIGKILL);
    const auto reaped = os::reap_blocking((*run)->pid());
    ASSERT_TRUE(reaped);
    (*run)->ended(reaped->status);
    ASSERT_TRUE(outcome_);
    EXPECT_EQ(outcome_->exit->code, SIGKILL);
    outcome_.reset();
    (*run)->ended(reaped->status);
    EXPECT_FALSE(outcome_);
}

TEST_F(CommandRunTest, tells_an_unknown_exit_when_somebody_else_reaped_it_and_said_nothing)
{
    const auto run = start(play({"exit_with", "0"}));
    ASSERT_TRUE(run);
    static_cast<void>(os::reap_blocking((*run)->pid()));
    ASSERT_TRUE(done());
    EXPECT_FALSE(outcome_->succeeded());
    EXPECT_FALSE(outcome_->exit->known);
}

TEST_F(CommandRunTest, may_be_destroyed_by_what_it_calls)
{
    std::unique_ptr<CommandRun> run;
    bool told = false;
    auto started = CommandRun::start(*loop_, play({"exit_with", "0"}), 1h, [&](const CommandRun::Outcome& outcome) {
        run.reset();
        told = outcome.succeeded();
    });
    ASSERT_TRUE(started);
    run = std::move(*started);
    EXPECT_TRUE(run_until([&] { return told; }));
}

TEST_F(CommandRunTest, that_cannot_be_started_is_an_error)
{
    const auto run = start(plan_of({scratch_ / "missing"}));
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, ErrorCode::program_missing);
}

}  // namespace
}  // namespace steward::supervise
