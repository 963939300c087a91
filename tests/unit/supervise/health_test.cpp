#include "supervise/health.hpp"

#include "supervising.hpp"

namespace steward::supervise {
namespace {

using namespace std::chrono_literals;

class Health : public test::Looping {
  protected:
    // Runs until `count` answers have come.
    std::vector<HealthCheck::Answer> answers(HealthCheck::Context context, std::size_t count)
    {
        std::vector<HealthCheck::Answer> told;
        HealthCheck check(std::move(context), [&](const HealthCheck::Answer& answer) { told.push_back(answer); });
        EXPECT_TRUE(told.empty()) << "told before the loop ran";
        EXPECT_TRUE(run_until([&] { return told.size() >= count; }));
        return told;
    }
    [[nodiscard]] HealthCheck::Context asking(const std::string& script)
    {
        rules_ = {.command = {"/bin/sh"}, .failures = 2};
        return {.loop = *loop_, .rules = rules_, .interval = 1ms, .command = [script] { return test::shell(script); }};
    }
    [[nodiscard]] HealthCheck::Context watching(Duration interval)
    {
        rules_ = {.watchdog = true};
        return {.loop = *loop_, .rules = rules_, .interval = interval};
    }

    ServiceSpec::Health rules_;
};

TEST_F(Health, is_asked_at_once_and_again)
{
    const auto told = answers(asking("exit 0"), 3);
    for (const auto& answer : told) EXPECT_TRUE(answer.good && !answer.over);
}

TEST_F(Health, is_over_after_so_many_failures_in_a_row)
{
    const auto told = answers(asking("exit 1"), 2);
    EXPECT_FALSE(told[0].good || told[0].over);
    EXPECT_TRUE(told[1].over && told[1].failures == 2);
    EXPECT_EQ(told[1].why, "the command ended with exit code 1");
}

TEST_F(Health, goes_on_counting_where_a_predecessor_was)
{
    auto context = asking("exit 1");
    context.failures = 1;
    EXPECT_TRUE(answers(context, 1)[0].over);
}

TEST_F(Health, does_not_count_failures_in_the_time_of_grace)
{
    auto context = asking("exit 1");
    context.counts_from = os::MonotonicClock::now() + 50ms;
    const auto began = os::MonotonicClock::now();
    static_cast<void>(answers(context, 1));
    EXPECT_GE(os::MonotonicClock::now() - began, 50ms);
}

TEST_F(Health, of_a_watchdog_is_over_when_nothing_was_said_in_time)
{
    const auto told = answers(watching(20ms), 1);
    EXPECT_TRUE(told[0].over);
    EXPECT_EQ(told[0].why, "it has not said for 20 ms that it works");
}

TEST_F(Health, of_a_watchdog_is_good_as_long_as_it_is_said)
{
    std::vector<HealthCheck::Answer> told;
    HealthCheck check(watching(10s), [&](const HealthCheck::Answer& answer) { told.push_back(answer); });
    check.said_alive();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(told[0].good);
    check.said_failing();
    EXPECT_TRUE(told[1].over);
    check.set_interval(1ms);
    EXPECT_TRUE(run_until([&] { return told.size() == 3; }));
    EXPECT_TRUE(told[2].over);
}

TEST_F(Health, may_be_destroyed_by_its_answer)
{
    std::unique_ptr<HealthCheck> check;
    bool told = false;
    check = std::make_unique<HealthCheck>(asking("exit 0"), [&](const HealthCheck::Answer&) { told = true, check.reset(); });
    EXPECT_TRUE(run_until([&] { return told; }));
}

}  // namespace
}  // namespace steward::supervise
