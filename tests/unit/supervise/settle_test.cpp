#include "supervise/settle.hpp"

#include "supervising.hpp"

namespace steward::supervise {
namespace {

using test::play;
using test::Program;
using namespace std::chrono_literals;

class Settle : public test::Looping {
  protected:
    [[nodiscard]] static os::MonotonicClock::duration since(os::MonotonicClock::time_point begin)
    {
        return os::MonotonicClock::now() - begin;
    }
};

TEST_F(Settle, a_program_that_sleeps_has_settled_before_the_limit)
{
    const Program program(play({"sleep_forever"}));
    // The first look at a program that already sleeps is enough.
    ASSERT_TRUE(test::eventually([&] { return (*os::read_stat(program.pid()))->state == 'S'; }));
    bool settled = false;
    bool limit_passed = false;
    bool in_time = false;
    const SettleWatch watch(*loop_, program.pid(), [&] { settled = true, in_time = !limit_passed; });
    // Timers come in their order, however late: this one is no measure of the machine.
    loop_->after(settle_limit, [&] { limit_passed = true; });
    ASSERT_TRUE(run_until([&] { return settled; }));
    EXPECT_TRUE(in_time);
}

TEST_F(Settle, a_program_that_is_busy_settles_at_the_limit)
{
    const Program program(test::shell("while :; do :; done"));
    const auto begin = os::MonotonicClock::now();
    bool settled = false;
    const SettleWatch watch(*loop_, program.pid(), [&] { settled = true; });
    ASSERT_TRUE(run_until([&] { return settled; }));
    EXPECT_GE(since(begin), settle_limit);
}

TEST_F(Settle, a_program_that_dies_never_settles)
{
    const Program program(play({"exit_with", "3"}));
    ASSERT_TRUE(test::eventually([&] { return !program.alive(); }));
    bool settled = false;
    bool limit_passed = false;
    const SettleWatch watch(*loop_, program.pid(), [&] { settled = true; });
    loop_->after(settle_limit + 50ms, [&] { limit_passed = true; });
    ASSERT_TRUE(run_until([&] { return limit_passed; }));
    EXPECT_FALSE(settled);
}

TEST_F(Settle, a_watch_that_is_destroyed_tells_nothing)
{
    const Program program(play({"sleep_forever"}));
    bool settled = false;
    bool limit_passed = false;
    {
        const SettleWatch watch(*loop_, program.pid(), [&] { settled = true; });
    }
    loop_->after(50ms, [&] { limit_passed = true; });
    ASSERT_TRUE(run_until([&] { return limit_passed; }));
    EXPECT_FALSE(settled);
}

TEST_F(Settle, a_watch_may_be_destroyed_by_what_it_calls)
{
    const Program program(play({"sleep_forever"}));
    bool settled = false;
    std::unique_ptr<SettleWatch> watch;
    watch = std::make_unique<SettleWatch>(*loop_, program.pid(), [&] {
        watch.reset();
        settled = true;
    });
    EXPECT_TRUE(run_until([&] { return settled; }));
}

}  // namespace
}  // namespace steward::supervise
