#include "log/rate_gate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace steward::log {
namespace {

using namespace std::chrono_literals;

const GateTime begun = GateTime() + 1h;

// Feeds one text as it comes, and says what passed.
class Gate {
  public:
    std::string feed(std::string_view text, GateTime now = begun)
    {
        std::string passed;
        while (!text.empty()) {
            const auto verdict = judge_rate(limit, state, text, in_line_, now);
            state = verdict.after;
            if (verdict.passes) {
                passed += text.substr(0, verdict.bytes);
                in_line_ = passed.back() != '\n';
            }
            text.remove_prefix(verdict.bytes);
        }
        return passed;
    }
    RateLimit limit{.lines = 2, .window = 10s};
    GateState state;

  private:
    bool in_line_ = false;
};

TEST(RateGate, lets_so_many_lines_pass_and_counts_the_others)
{
    Gate gate;
    EXPECT_EQ(gate.feed("one\ntwo\nthree\nfour\n"), "one\ntwo\n");
    EXPECT_EQ(gate.state.dropped_lines, 2U);
    EXPECT_EQ(gate.state.dropped_bytes, 11U);
    EXPECT_EQ(gate.feed("five\n", begun + 9s), "");
    EXPECT_EQ(gate.feed("six\nseven\neight\n", begun + 10s), "six\nseven\n");
    EXPECT_EQ(gate.state.dropped_lines, 4U);
}

TEST(RateGate, a_line_passes_whole_or_not_at_all)
{
    Gate gate;
    EXPECT_EQ(gate.feed("o"), "o");
    EXPECT_EQ(gate.feed("ne\ntw"), "ne\ntw");
    EXPECT_EQ(gate.feed("o\nthr"), "o\n");
    EXPECT_EQ(gate.feed("ee", begun + 11s), "");
    EXPECT_EQ(gate.feed("\nfour\n", begun + 11s), "four\n");
    EXPECT_EQ(gate.state.dropped_lines, 1U);
    EXPECT_EQ(gate.state.dropped_bytes, 6U);
}

TEST(RateGate, tells_of_what_was_dropped_when_the_time_is_over)
{
    Gate gate;
    gate.feed("one\ntwo\n");
    EXPECT_FALSE(is_report_due(gate.limit, gate.state, begun + 1h));
    gate.feed("three\n");
    EXPECT_FALSE(is_report_due(gate.limit, gate.state, begun + 9s));
    EXPECT_EQ(left_of_window(gate.limit, gate.state, begun + 9s), 1s);
    EXPECT_TRUE(is_report_due(gate.limit, gate.state, begun + 10s));
    EXPECT_TRUE(is_report_due(gate.limit, gate.state, GateTime() + 1s));  // of another boot
}

}  // namespace
}  // namespace steward::log
