// What a line becomes on its way to the journal or to syslog.
#include "log/line_sink.hpp"

#include <gmock/gmock.h>

#include "sending.hpp"

namespace steward::log {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Pair;
using testing::UnorderedElementsAre;

const Sender web{.service = "web", .stream = "stderr"};

std::string syslog_message(std::string_view text)
{
    std::string message;
    write_syslog_message(message, web, {.text = text, .priority = 3, .pid = 4121}, 0);
    return message;
}

TEST(LineSink, an_entry_of_the_journal_says_whose_it_is)
{
    std::string entry;
    write_journal_entry(entry, web, {.text = "hello", .priority = 3, .pid = 4121});
    EXPECT_THAT(test::fields_of(entry), UnorderedElementsAre(Pair("MESSAGE", "hello"), Pair("PRIORITY", "3"), Pair("SYSLOG_FACILITY", "3"),
                                                             Pair("SYSLOG_IDENTIFIER", "web"), Pair("SYSLOG_PID", "4121"),
                                                             Pair("STEWARD_SERVICE", "web"), Pair("STEWARD_STREAM", "stderr")));
}

TEST(LineSink, the_journal_gets_any_bytes_as_they_are)
{
    const std::string bytes = "a\0b\xff\x1b=\r"s;
    std::string entry;
    write_journal_entry(entry, web, {.text = bytes});
    EXPECT_EQ(test::fields_of(entry)["MESSAGE"], bytes);
}

TEST(LineSink, a_message_of_syslog_is_one_of_syslog3)
{
    EXPECT_THAT(syslog_message("hello: you"), MatchesRegex("<27>(Jan  1|Dec 31) [0-9:]{8} web\\[4121\\]: hello: you"));
    std::string message;
    write_syslog_message(message, web, {.text = "x", .priority = 6}, 0);
    EXPECT_THAT(message, MatchesRegex("<30>.* web: x"));
}

TEST(LineSink, what_would_end_a_message_is_escaped)
{
    EXPECT_THAT(syslog_message("a\0b\x1b[1m\tc\x7f\xff\r"s), HasSubstr(": a\\x00b\\x1b[1m\tc\\x7f\xff"));
}

TEST(LineSink, a_line_may_say_its_priority)
{
    const auto taken = [](std::string_view line) {
        int priority = priority_info;
        take_priority(line, priority);
        return std::pair(std::string(line), priority);
    };
    EXPECT_THAT(taken("<0>dead"), Pair("dead", 0));
    EXPECT_THAT(taken("<7>"), Pair("", 7));
    for (const char* plain : {"<8>x", "<30>x", "<x>", "<3 x", "<3", "<", "", " <3>x"})
        EXPECT_THAT(taken(plain), Pair(plain, priority_info));
}

class Sink : public test::Sending {};

TEST_F(Sink, a_daemon_that_is_not_there_is_an_error_that_names_it)
{
    LineSink sink(LineSink::Kind::syslog, path_, web);
    const auto sent = sink.send({.text = "x"});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().message(), "cannot send to syslog at '" + path_ + "': No such file or directory");
}

TEST_F(Sink, a_daemon_that_was_replaced_gets_the_next_line)
{
    LineSink sink(LineSink::Kind::syslog, path_, web);
    auto first = daemon();
    ASSERT_TRUE(sink.send({.text = "one"}));
    EXPECT_THAT(texts(first->take()), ElementsAre("one"));
    first.reset();
    EXPECT_EQ(sink.send({.text = "lost?"}).error().os_errno, ECONNREFUSED);
    auto second = daemon();
    ASSERT_TRUE(sink.send({.text = "two"}));
    second.reset();
    auto third = daemon();
    ASSERT_TRUE(sink.send({.text = "three"}));
    EXPECT_THAT(texts(third->take()), ElementsAre("three"));
}

TEST_F(Sink, a_daemon_that_takes_nothing_is_told_at_once)
{
    LineSink sink(LineSink::Kind::journal, path_, web);
    auto stuck = daemon();
    Result<void> sent;
    for (int i = 0; i < 100'000 && sent; ++i) sent = sink.send({.text = "x"});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().os_errno, EAGAIN);
    EXPECT_FALSE(stuck->take().empty());
    EXPECT_TRUE(sink.send({.text = "x"}));
}

TEST_F(Sink, what_no_datagram_can_hold_goes_to_the_journal_as_a_sealed_file)
{
    LineSink sink(LineSink::Kind::journal, path_, web);
    auto journal = daemon();
    const std::string line(sink.longest(), 'x');
    ASSERT_TRUE(sink.send({.text = line}));
    const auto entries = journal->take();
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(test::fields_of(entries.front())["MESSAGE"], line);
    EXPECT_EQ(journal->files, 1);
    EXPECT_EQ(journal->seals, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

TEST_F(Sink, a_path_that_no_socket_can_have_is_an_error)
{
    LineSink sink(LineSink::Kind::syslog, "/" + std::string(200, 'x'), web);
    EXPECT_EQ(sink.send({.text = "x"}).error().os_errno, ENAMETOOLONG);
}

}  // namespace
}  // namespace steward::log
