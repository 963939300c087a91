#include <gtest/gtest.h>
#include <csignal>

#include <steward/manager.hpp>

namespace steward {
namespace {

TEST(ParseSignal, takes_names_with_and_without_sig_and_numbers)
{
    EXPECT_EQ(parse_signal("TERM"), SIGTERM);
    EXPECT_EQ(parse_signal("SIGTERM"), SIGTERM);
    EXPECT_EQ(parse_signal("15"), SIGTERM);
    EXPECT_EQ(parse_signal("WINCH"), SIGWINCH);
}

TEST(ParseSignal, takes_real_time_signals)
{
    EXPECT_EQ(parse_signal("RTMIN"), SIGRTMIN);
    EXPECT_EQ(parse_signal("SIGRTMIN+3"), SIGRTMIN + 3);
    EXPECT_EQ(parse_signal("RTMAX-1"), SIGRTMAX - 1);
    EXPECT_EQ(parse_signal("RTMAX"), SIGRTMAX);
}

TEST(ParseSignal, refuses_what_is_no_signal)
{
    for (const char* text :
         {"", "SIG", "0", "-1", "65", "4294967297", "15x", "term", "NOSUCH", "RTMIN+", "RTMIN+99", "RTMAX-99", "RTMIN--1", " 15"}) {
        EXPECT_EQ(parse_signal(text), std::nullopt) << text;
    }
}

TEST(SignalName, is_what_parse_signal_takes)
{
    for (int signal = 1; signal <= SIGRTMAX; ++signal) EXPECT_EQ(parse_signal(signal_name(signal)), signal) << signal_name(signal);
    EXPECT_EQ(signal_name(SIGHUP), "HUP");
    EXPECT_EQ(signal_name(SIGRTMIN), "RTMIN");
    EXPECT_EQ(signal_name(SIGRTMIN + 3), "RTMIN+3");
}

TEST(SignalName, is_the_number_where_there_is_no_name)
{
    EXPECT_EQ(signal_name(999), "999");
}

TEST(ExitStatusText, tells_code_and_signal_apart)
{
    EXPECT_EQ(to_string(ExitStatus{.code = 3}), "exit code 3");
    EXPECT_EQ(to_string(ExitStatus{.signalled = true, .code = SIGKILL}), "signal 9 (KILL)");
    EXPECT_EQ(to_string(ExitStatus{.signalled = true, .code = SIGSEGV, .core_dumped = true}), "signal 11 (SEGV, core dumped)");
    EXPECT_EQ(to_string(ExitStatus{.known = false}), "exit code unknown");
}

TEST(ServiceStateText, has_a_word_for_every_state)
{
    EXPECT_EQ(to_string(ServiceState::stopped), "stopped");
    EXPECT_EQ(to_string(ServiceState::starting), "starting");
    EXPECT_EQ(to_string(ServiceState::running), "running");
    EXPECT_EQ(to_string(ServiceState::reloading), "reloading");
    EXPECT_EQ(to_string(ServiceState::stopping), "stopping");
    EXPECT_EQ(to_string(ServiceState::backing_off), "backing-off");
    EXPECT_EQ(to_string(ServiceState::failed), "failed");
    EXPECT_EQ(to_string(ServiceState::finished), "finished");
    EXPECT_EQ(to_string(ServiceState::dead), "dead");
    EXPECT_EQ(to_string(ServiceState::unknown), "unknown");
}

}  // namespace
}  // namespace steward
