// Lines on their way to a daemon: each once, whole, and never lost for want of it.
#include "log/line_pump.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "full_spool.hpp"
#include "sending.hpp"

namespace steward::log {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class LinePumping : public test::Sending {
  protected:
    static std::size_t moved(LinePump& pump)
    {
        const auto result = pump.move();
        EXPECT_TRUE(result) << result.error().message();
        return result.value_or(0);
    }
};

TEST_F(LinePumping, each_line_is_a_message)
{
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    pump->set_main_pid(77);
    write("one\n\ntwo\n");
    EXPECT_EQ(moved(*pump), 9U);
    const auto messages = daemon->take();
    EXPECT_THAT(texts(messages), ElementsAre("one", "", "two"));
    EXPECT_THAT(messages.front(), HasSubstr(" web[77]: one"));
    EXPECT_FALSE(pump->owes());
}

TEST_F(LinePumping, a_line_waits_for_its_end)
{
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    write("one\ntw");
    moved(*pump);
    EXPECT_THAT(texts(daemon->take()), ElementsAre("one"));
    write("o\nthree");
    moved(*pump);
    EXPECT_THAT(texts(daemon->take()), ElementsAre("two"));
    ASSERT_TRUE(pump->drain());
    EXPECT_THAT(daemon->take(), IsEmpty());
    ASSERT_TRUE(pump->finish());
    EXPECT_THAT(texts(daemon->take()), ElementsAre("three"));
    write("four\n");
    moved(*pump);
    EXPECT_THAT(texts(daemon->take()), ElementsAre("four"));
}

TEST_F(LinePumping, what_a_killed_one_had_taken_the_next_one_sends)
{
    {
        const auto pump = this->pump();
        write("one\ntwo\nthr");
        ASSERT_FALSE(pump->move());
    }
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    ASSERT_TRUE(pump->open());
    EXPECT_THAT(texts(daemon->take()), ElementsAre("one", "two"));
    write("ee\n");
    moved(*pump);
    EXPECT_THAT(texts(daemon->take()), ElementsAre("three"));
}

TEST_F(LinePumping, a_line_says_its_priority_once)
{
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    write("<3>bad\nplain\n");
    moved(*pump);
    const auto messages = daemon->take();
    ASSERT_THAT(messages, SizeIs(2));
    EXPECT_THAT(messages[0], StartsWith("<27>"));
    EXPECT_THAT(messages[1], StartsWith("<30>"));
    EXPECT_THAT(texts(messages), ElementsAre("bad", "plain"));
}

TEST_F(LinePumping, a_long_line_comes_in_pieces_of_one_priority)
{
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    const std::string text = "<3>" + std::string(20'000, 'x') + "\xc3\xa4";
    write(text + "\nnext\n");
    moved(*pump);
    auto messages = daemon->take();
    ASSERT_THAT(messages, SizeIs(4));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_THAT(messages[i], StartsWith("<27>"));
    std::string joined;
    for (const std::string& piece : texts({messages.begin(), messages.begin() + 3})) joined += piece;
    EXPECT_EQ(joined, text.substr(3));
    EXPECT_THAT(texts(messages).back(), "next");
}

TEST_F(LinePumping, no_piece_ends_within_a_character)
{
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    std::string text;
    while (text.size() < 30'000) text += "\xe2\x82\xac";
    for (const std::string& shift : {""s, "a"s, "ab"s}) {
        write(shift + text + "\n");
        moved(*pump);
        for (const std::string& piece : texts(daemon->take())) EXPECT_NE(static_cast<unsigned char>(piece.front()) & 0xc0, 0x80);
    }
}

TEST_F(LinePumping, a_program_whose_writes_never_end_with_a_line_fills_no_spool)
{
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    write("0");
    std::size_t seen = 0;
    for (int i = 0; i < 400; ++i) {
        write(std::string(999, 'x') + "\n" + std::to_string(i % 10));
        moved(*pump);
        seen += daemon->take().size();
    }
    EXPECT_EQ(seen, 400U);
    EXPECT_LT(std::filesystem::file_size(scratch_ / "spool"), 64U * 1024);
    const auto next = this->pump();
    write("end\n");
    moved(*next);
    EXPECT_THAT(texts(daemon->take()), ElementsAre("9end"));
}

TEST_F(LinePumping, a_full_daemon_loses_nothing)
{
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    std::vector<std::string> expected;
    std::string text;
    for (int i = 0; i < 3000; ++i) {
        expected.push_back("line " + std::to_string(i));
        text += expected.back() + "\n";
    }
    write(text);
    std::vector<std::string> got;
    const auto full = pump->move();
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().os_errno, EAGAIN);
    for (int i = 0; i < 10'000 && pump->owes(); ++i) {
        for (std::string& line : texts(daemon->take())) got.push_back(std::move(line));
        static_cast<void>(pump->move());
    }
    for (std::string& line : texts(daemon->take())) got.push_back(std::move(line));
    EXPECT_EQ(got, expected);
}

TEST_F(LinePumping, what_is_too_much_is_counted_and_told_in_its_place)
{
    const auto pump = this->pump();
    std::string lines;
    while (lines.size() < 60'000) lines += std::string(99, 'x') + "\n";
    for (int i = 0; i < 40; ++i) {
        write(lines);
        pump->absorb();
    }
    write("within");
    pump->absorb();
    auto daemon = this->daemon();
    std::vector<std::string> got;
    const auto take = [&] {
        for (std::string& line : texts(daemon->take())) got.push_back(std::move(line));
    };
    for (int i = 0; i < 100'000 && !pump->move(); ++i) take();
    take();
    write(" a lost line\nafter\n");
    for (int i = 0; i < 10 && pump->owes(); ++i) moved(*pump);
    moved(*pump);
    take();
    ASSERT_GT(got.size(), 10'000U);
    EXPECT_EQ(got.back(), "after");
    EXPECT_THAT(got[got.size() - 2], HasSubstr(" bytes) were dropped here: the log could not be written"));
    const auto loss = pump->take_loss();
    // The one at the bound counts on both sides: its beginning was kept.
    EXPECT_EQ(loss.lines + got.size() - 2, 40U * 600 + 1 + 1);
    EXPECT_FALSE(pump->take_loss());
}

TEST_F(LinePumping, of_a_line_that_was_dropped_in_part_the_rest_is_dropped_by_who_takes_over)
{
    const std::string lines = std::string(1023, 'x') + "\n";
    {
        const auto pump = this->pump();
        for (int i = 0; i < 1030; ++i) {
            write(lines);
            pump->absorb();
        }
        write("begun");
        pump->absorb();
    }
    write(" and ended\nnext\n");
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    std::vector<std::string> got;
    for (int i = 0; i < 100'000 && (got.empty() || got.back() != "next"); ++i) {
        static_cast<void>(pump->move());
        for (std::string& line : texts(daemon->take())) got.push_back(std::move(line));
    }
    ASSERT_THAT(got, SizeIs(testing::Ge(2U)));
    EXPECT_EQ(got.back(), "next");
    EXPECT_THAT(got[got.size() - 2], HasSubstr(" bytes) were dropped here: the log could not be written"));
}

TEST_F(LinePumping, what_the_spool_does_not_take_is_counted)
{
    log::LineSink sink(kind_, path_, {.service = "web", .stream = "stdout"});
    LinePump pump(std::move(sink), priority_info, limit_, fifo_, test::full_spool());
    const std::string lines = "one\n" + std::string(10000, 'x') + "\n";
    write(lines);
    EXPECT_FALSE(pump.drain());
    const auto daemon = this->daemon();
    ASSERT_TRUE(pump.drain());
    EXPECT_EQ(pump.take_loss().bytes, lines.size());
    EXPECT_THAT(texts(daemon->take()), ElementsAre(StartsWith("steward: 2 lines (10005 bytes) were dropped here")));
}

TEST_F(LinePumping, what_the_spool_does_not_take_goes_past_it)
{
    const auto daemon = this->daemon();
    log::LineSink sink(kind_, path_, {.service = "web", .stream = "stdout"});
    LinePump pump(std::move(sink), priority_info, limit_, fifo_, test::full_spool());
    write("one\ntwo\nthr");
    EXPECT_TRUE(pump.move());
    write("ee\nfour\n");
    EXPECT_TRUE(pump.drain());
    EXPECT_THAT(texts(daemon->take()), ElementsAre("one", "two", "thr", "ee", "four"));
    EXPECT_FALSE(pump.take_loss());
}

TEST_F(LinePumping, a_line_that_was_lost_in_part_ends_with_its_run)
{
    write("whole\nlost in p");
    {
        log::LineSink sink(kind_, path_, {.service = "web", .stream = "stdout"});
        auto file = os::open_at(directory_, "spool", {.read = true, .write = true, .create = true});
        auto spool = log::Spool::open(std::move(file.value()));
        ASSERT_TRUE(spool->set_mark({.lost_bytes = 3, .inside_lost = 1}));
        const auto daemon = this->daemon();
        LinePump pump(std::move(sink), priority_info, limit_, fifo_, std::move(*spool));
        ASSERT_TRUE(pump.finish());
    }
    EXPECT_EQ(spool().mark().inside_lost, 0U);
}

TEST_F(LinePumping, a_spool_of_another_version_was_brought_on)
{
    constexpr std::string_view old = "STSPOOL2";
    std::string bytes(4096, '\0');
    bytes.replace(0, old.size(), old);
    std::ofstream(scratch_ / "spool") << bytes << "a line\n";
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    ASSERT_TRUE(pump->open());
    write("new\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_THAT(texts(daemon->take()), ElementsAre("new"));
}

TEST_F(LinePumping, a_rate_limit_counts_what_it_drops)
{
    limit_ = {.lines = 2, .window = std::chrono::milliseconds(500)};
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    write("1\n2\n3\n4\n");
    moved(*pump);
    EXPECT_THAT(texts(daemon->take()), ElementsAre("1", "2"));
    ASSERT_TRUE(pump->report_after());
    ASSERT_TRUE(pump->drain());
    EXPECT_THAT(texts(daemon->take()), ElementsAre("steward: 2 lines (4 bytes) were dropped here: more than 2 lines in 500 ms"));
}

TEST_F(LinePumping, the_last_lines_are_known_whether_they_could_be_sent_or_not)
{
    auto daemon = this->daemon();
    const auto pump = this->pump();
    write("<3>one\ntwo\n");
    moved(*pump);
    daemon.reset();
    std::filesystem::remove(path_);
    write("three\n<4>fo");
    ASSERT_FALSE(pump->move());
    EXPECT_THAT(pump->last_lines(10), ElementsAre("one", "two", "three", "fo"));
    EXPECT_THAT(pump->last_lines(2), ElementsAre("three", "fo"));
    daemon = this->daemon();
    ASSERT_TRUE(pump->begin_launch());
    EXPECT_THAT(texts(daemon->take()), ElementsAre("three", "fo"));
    EXPECT_THAT(pump->last_lines(10), IsEmpty());
}

TEST_F(LinePumping, the_journal_gets_a_very_long_line_whole)
{
    kind_ = LineSink::Kind::journal;
    const auto daemon = this->daemon();
    const auto pump = this->pump();
    os::grow_pipe(fifo_, std::size_t{1} << 20);
    const std::string line(250'000, 'x');
    write(line + "\n");
    moved(*pump);
    const auto entries = daemon->take();
    ASSERT_THAT(entries, SizeIs(1));
    EXPECT_EQ(test::fields_of(entries.front())["MESSAGE"], line);
    EXPECT_EQ(daemon->files, 1);
}

}  // namespace
}  // namespace steward::log
