#include "log/event_log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"

namespace steward::log {
namespace {

using testing::MatchesRegex;

// What is expected behind the time of each line.
constexpr const char* stamp = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z ";

class EventLogFile : public testing::Test {
  protected:
    test::ScratchDirectory scratch;
    std::string path = scratch / "log/steward.log";
    EventLog events{EventLog::Sink::file, path};  // without syslog: a test leaves no trace on the host
};

TEST_F(EventLogFile, has_a_line_an_event_with_time_level_and_service)
{
    events.info("web", "started, PID 4121");
    events.warning("web", "its program ended: exit code 3");
    events.error("web", "gave up");
    events.info("", "reexecuted");
    EXPECT_THAT(test::content_of(path), MatchesRegex(std::string(stamp) + "info web: started, PID 4121\n" + stamp +
                                                     "warning web: its program ended: exit code 3\n" + stamp + "error web: gave up\n" +
                                                     stamp + "info reexecuted\n"));
}

TEST_F(EventLogFile, is_not_there_before_the_first_event)
{
    EXPECT_FALSE(std::filesystem::exists(scratch / "log"));
    events.info("web", "started");
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0640));
}

TEST_F(EventLogFile, is_written_at_once_and_by_several_supervisors)
{
    EventLog other{EventLog::Sink::file, path};
    events.info("web", "one");
    other.info("api", "two");
    events.info("web", "three");
    EXPECT_THAT(test::content_of(path), MatchesRegex(".*web: one\n.*api: two\n.*web: three\n"));
}

TEST_F(EventLogFile, stays_one_line_whatever_the_message_holds)
{
    events.info("web", "stopped\n2026-01-01T00:00:00.000Z info web: forged\x1b[2J\t{} %s é");
    EXPECT_THAT(test::content_of(path),
                testing::EndsWith("web: stopped\\x0a2026-01-01T00:00:00.000Z info web: forged\\x1b[2J\\x09{} %s é\n"));
}

TEST_F(EventLogFile, follows_a_rotation)
{
    events.info("web", "one");
    std::filesystem::rename(path, path + ".1");
    events.info("web", "two");
    EXPECT_THAT(test::content_of(path + ".1"), testing::EndsWith("web: one\n"));
    EXPECT_THAT(test::content_of(path), testing::EndsWith("web: two\n"));
}

TEST_F(EventLogFile, that_cannot_be_written_is_done_without)
{
    scratch.write("log", "a file in the directory's place");
    events.info("web", "one");
    std::filesystem::remove(scratch / "log");
    events.info("web", "two");
    EXPECT_THAT(test::content_of(path), testing::EndsWith("web: two\n"));
    EXPECT_THAT(test::content_of(path), testing::Not(testing::HasSubstr("one")));
}

TEST_F(EventLogFile, that_is_a_link_is_not_written)
{
    std::filesystem::create_directory(scratch / "log");
    scratch.write("target", "precious");
    ASSERT_EQ(symlink("../target", path.c_str()), 0);
    events.error("web", "gave up");
    EXPECT_EQ(test::content_of(scratch / "target"), "precious");
}

TEST_F(EventLogFile, can_be_moved)
{
    events.info("web", "one");
    EventLog moved = std::move(events);
    moved.info("web", "two");
    EXPECT_THAT(test::content_of(path), MatchesRegex(".*web: one\n.*web: two\n"));
    events = std::move(moved);
    events.info("web", "three");
    EXPECT_THAT(test::content_of(path), testing::EndsWith("web: three\n"));
}

TEST(EventLogStandardError, gets_the_same_lines)
{
    const test::ScratchDirectory scratch;
    const int outcome = test::in_child([&] {
        const int fd = open((scratch / "stderr").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || dup2(fd, 2) != 2) return 99;
        EventLog events{EventLog::Sink::standard_error, ""};
        events.warning("web", "slow to stop");
        return 0;
    });
    EXPECT_EQ(outcome, 0);
    EXPECT_THAT(test::content_of(scratch / "stderr"), MatchesRegex(std::string(stamp) + "warning web: slow to stop\n"));
}

TEST(EventLogStandardError, that_is_closed_is_done_without)
{
    const int outcome = test::in_child([] {
        close(2);
        EventLog events{EventLog::Sink::standard_error, ""};
        events.info("web", "one");
        return 0;
    });
    EXPECT_EQ(outcome, 0);
}

TEST(EventLogStandardError, that_nobody_reads_holds_nobody_up)
{
    const int outcome = test::in_child([] {
        int ends[2];
        if (pipe(ends) != 0 || dup2(ends[1], 2) != 2) return 99;
        alarm(20);
        EventLog events{EventLog::Sink::standard_error, ""};
        for (int event = 0; event < 5000; ++event) events.warning("web", "a line that is told again and again");
        events.warning("web", std::string(100'000, 'x'));
        return 0;
    });
    EXPECT_EQ(outcome, 0);
}

TEST(EventLogStandardError, gets_a_line_of_any_length_cut_to_what_a_pipe_takes_at_once)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const int outcome = test::in_child([&] {
        if (dup2(ends[1], 2) != 2) return 99;
        EventLog events{EventLog::Sink::standard_error, ""};
        events.warning("web", std::string(100'000, 'x'));
        return 0;
    });
    close(ends[1]);
    EXPECT_EQ(outcome, 0);
    std::string told(10'000, '\0');
    const ssize_t size = read(ends[0], told.data(), told.size());
    EXPECT_EQ(size, PIPE_BUF);
    EXPECT_EQ(told[PIPE_BUF - 1], '\n');
    close(ends[0]);
}

}  // namespace
}  // namespace steward::log
