#include "supervise/notification.hpp"

#include <gtest/gtest.h>

namespace steward::supervise {
namespace {

using std::chrono::microseconds;

TEST(Notification, says_what_its_lines_say)
{
    const auto said = read_notification("READY=1\nSTATUS=serving 3 clients\nMAINPID=812\nERRNO=98\nEXTEND_TIMEOUT_USEC=1500\n");
    ASSERT_TRUE(said);
    EXPECT_TRUE(said->ready);
    EXPECT_FALSE(said->reloading || said->stopping || said->alive || said->failing);
    EXPECT_EQ(said->status, "serving 3 clients");
    EXPECT_EQ(said->main_pid, 812);
    EXPECT_EQ(said->os_errno, 98);
    EXPECT_EQ(said->extend_timeout, microseconds(1500));
}

TEST(Notification, knows_each_state_and_the_watchdog)
{
    EXPECT_TRUE(read_notification("RELOADING=1\nMONOTONIC_USEC=8")->reloading);
    EXPECT_TRUE(read_notification("STOPPING=1")->stopping);
    EXPECT_TRUE(read_notification("WATCHDOG=1")->alive);
    EXPECT_TRUE(read_notification("WATCHDOG=trigger")->failing);
    EXPECT_EQ(read_notification("WATCHDOG_USEC=20000")->watchdog_interval, microseconds(20000));
    EXPECT_TRUE(read_notification("FDSTORE=1\nFDNAME=cache")->stores_descriptors);
}

TEST(Notification, passes_over_what_is_for_others)
{
    EXPECT_TRUE(read_notification("X_OURS=yes\n\nBARRIER=1\nNOTIFYACCESS=all\n"));
    EXPECT_TRUE(read_notification(""));
}

TEST(Notification, with_one_impossible_value_says_nothing)
{
    for (const char* text :
         {"READY=yes", "READY=0", "READY", "=1", "READY=1\nMAINPID=1", "MAINPID=0", "MAINPID=-4", "MAINPID=12x",
          "MAINPID=", "MAINPID=99999999999", "ERRNO=-1", "ERRNO=100000", "WATCHDOG=2", "WATCHDOG_USEC=0", "WATCHDOG_USEC=-1",
          "EXTEND_TIMEOUT_USEC=1s", "EXTEND_TIMEOUT_USEC=18446744073709551615", "STOPPING=1\nnonsense"}) {
        EXPECT_FALSE(read_notification(text)) << text;
    }
}

TEST(Notification, has_a_status_that_a_terminal_can_show)
{
    EXPECT_EQ(read_notification("STATUS=\x1b[31mred\x07")->status, "?[31mred?");
    EXPECT_EQ(read_notification("STATUS=gr\xc3\xbc\xc3\x9f\x65")->status, "gr\xc3\xbc\xc3\x9f\x65");
    EXPECT_EQ(read_notification("STATUS=\xff\xc3(\xc2\x9b\xe2\x82")->status, "\?\?(\?\?\?");
    EXPECT_EQ(read_notification("STATUS=")->status, "");
    EXPECT_EQ(read_notification("STATUS=" + std::string(5000, 'x'))->status->size(), 256U);
    EXPECT_EQ(read_notification(std::string_view("STATUS=a\0b", 10))->status, "a?b");
}

}  // namespace
}  // namespace steward::supervise
