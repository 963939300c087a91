#include "supervise/restart_policy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <limits>

namespace steward::supervise {
namespace {

using namespace std::chrono_literals;
using Verdict = RestartDecision::Verdict;

constexpr ExitStatus exited(int code)
{
    return ExitStatus{.signalled = false, .code = code};
}

constexpr ExitStatus killed_by(int signal)
{
    return ExitStatus{.signalled = true, .code = signal};
}

ServiceSpec::Restart rules(RestartPolicyKind policy = RestartPolicyKind::always)
{
    ServiceSpec::Restart restart;
    restart.policy = policy;
    restart.jitter = 0;
    return restart;
}

RestartDecision decide_after(const ServiceSpec::Restart& restart, unsigned attempts, double random = 0.5)
{
    return decide(restart, exited(1), 0s, {.attempts = attempts}, random);
}

struct Row {
    ExitStatus exit;
    Ending ending;
};

TEST(RestartPolicy, classes_of_ends_are_those_of_systemd)
{
    const auto restart = rules();
    for (const auto& [exit, ending] :
         {Row{exited(0), Ending::clean}, Row{exited(1), Ending::failure}, Row{exited(255), Ending::failure},
          Row{killed_by(SIGTERM), Ending::clean}, Row{killed_by(SIGHUP), Ending::clean}, Row{killed_by(SIGINT), Ending::clean},
          Row{killed_by(SIGPIPE), Ending::clean}, Row{killed_by(SIGKILL), Ending::abnormal}, Row{killed_by(SIGSEGV), Ending::abnormal},
          Row{ExitStatus{.known = false}, Ending::failure}}) {
        EXPECT_EQ(classify(exit, restart), ending) << to_string(exit);
    }
}

TEST(RestartPolicy, success_exit_codes_are_clean_and_signals_of_the_same_number_are_not)
{
    auto restart = rules();
    restart.success_exit_codes = {3, 9};
    EXPECT_EQ(classify(exited(3), restart), Ending::clean);
    EXPECT_EQ(classify(exited(9), restart), Ending::clean);
    EXPECT_EQ(classify(exited(4), restart), Ending::failure);
    EXPECT_EQ(classify(killed_by(SIGKILL), restart), Ending::abnormal);
}

TEST(RestartPolicy, the_policy_says_which_ends_are_followed_by_a_start)
{
    using Policy = RestartPolicyKind;
    struct Line {
        Policy policy;
        Verdict clean, failure, abnormal;
    };
    for (const auto& [policy, clean, failure, abnormal] : {Line{Policy::never, Verdict::finished, Verdict::failed, Verdict::failed},
                                                           Line{Policy::on_success, Verdict::restart, Verdict::failed, Verdict::failed},
                                                           Line{Policy::on_failure, Verdict::finished, Verdict::restart, Verdict::restart},
                                                           Line{Policy::on_abnormal, Verdict::finished, Verdict::failed, Verdict::restart},
                                                           Line{Policy::always, Verdict::restart, Verdict::restart, Verdict::restart}}) {
        EXPECT_EQ(decide(rules(policy), exited(0), 0s, {}, 0).verdict, clean);
        EXPECT_EQ(decide(rules(policy), exited(1), 0s, {}, 0).verdict, failure);
        EXPECT_EQ(decide(rules(policy), killed_by(SIGSEGV), 0s, {}, 0).verdict, abnormal);
    }
}

TEST(RestartPolicy, the_delay_grows_by_the_factor_and_stays_at_its_maximum)
{
    auto restart = rules();
    restart.delay = 100ms;
    restart.factor = 3;
    restart.max_delay = 1s;
    const Duration expected[] = {100ms, 300ms, 900ms, 1s, 1s};
    for (unsigned attempts = 0; attempts < 5; ++attempts) {
        const auto decision = decide_after(restart, attempts);
        EXPECT_EQ(decision.delay, expected[attempts]);
        EXPECT_EQ(decision.history.attempts, attempts + 1);
    }
}

TEST(RestartPolicy, a_delay_of_nothing_stays_nothing)
{
    auto restart = rules();
    restart.delay = 0us;
    for (const unsigned attempts : {0U, 1U, 10000U}) EXPECT_EQ(decide_after(restart, attempts).delay, 0us);
}

TEST(RestartPolicy, nothing_wraps_at_the_ten_thousandth_attempt)
{
    auto restart = rules();
    restart.delay = 100ms;
    restart.max_delay = 24h;
    for (const double factor : {1.0, 1.0001, 2.0, 1e300}) {
        restart.factor = factor;
        const auto delay = decide_after(restart, 10000).delay;
        EXPECT_GE(delay, restart.delay) << factor;
        EXPECT_LE(delay, restart.max_delay) << factor;
    }
    EXPECT_EQ(decide_after(restart, 10000).delay, restart.max_delay);
}

TEST(RestartPolicy, jitter_stays_in_its_bounds_and_never_exceeds_the_maximum)
{
    auto restart = rules();
    restart.delay = 1s;
    restart.max_delay = 4s;
    restart.jitter = 0.25;
    EXPECT_EQ(decide_after(restart, 0, 0.0).delay, 750ms);
    EXPECT_EQ(decide_after(restart, 0, 0.5).delay, 1s);
    const double almost_one = std::nextafter(1.0, 0.0);
    EXPECT_NEAR(static_cast<double>(decide_after(restart, 0, almost_one).delay.count()), 1.25e6, 2);
    EXPECT_EQ(decide_after(restart, 5, 0.0).delay, 3s);
    EXPECT_LE(decide_after(restart, 5, almost_one).delay, 4s);
}

TEST(RestartPolicy, full_jitter_is_never_negative)
{
    auto restart = rules();
    restart.jitter = 1;
    EXPECT_EQ(decide_after(restart, 0, 0.0).delay, 0us);
}

TEST(RestartPolicy, having_run_for_the_window_forgets_the_attempts)
{
    auto restart = rules();
    restart.delay = 100ms;
    restart.window = 60s;
    EXPECT_EQ(decide(restart, exited(1), 60s, {.attempts = 7}, 0.5).delay, 100ms);
    EXPECT_EQ(decide(restart, exited(1), 60s, {.attempts = 7}, 0.5).history.attempts, 1U);
    EXPECT_EQ(decide(restart, exited(1), 60s - 1us, {.attempts = 7}, 0.5).history.attempts, 8U);
}

TEST(RestartPolicy, the_limit_ends_the_restarts_unless_the_window_has_passed)
{
    auto restart = rules();
    restart.limit = 3;
    EXPECT_EQ(decide_after(restart, 2).verdict, Verdict::restart);
    EXPECT_EQ(decide_after(restart, 3).verdict, Verdict::gave_up);
    EXPECT_EQ(decide_after(restart, 3).history.attempts, 3U);
    EXPECT_EQ(decide(restart, exited(1), restart.window, {.attempts = 3}, 0.5).verdict, Verdict::restart);
}

TEST(RestartPolicy, a_limit_of_zero_never_gives_up)
{
    EXPECT_EQ(decide_after(rules(), std::numeric_limits<unsigned>::max() - 1).verdict, Verdict::restart);
}

}  // namespace
}  // namespace steward::supervise
