#include "log/pump.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <sstream>
#include <thread>

#include "full_spool.hpp"
#include "log/stamper.hpp"
#include "pumping.hpp"

namespace steward::log {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class PumpTest : public test::Pumping {};

TEST_F(PumpTest, stamps_each_line_and_keeps_its_bytes)
{
    const auto pump = opened();
    write(std::string("one\nt\0o\n\xff\n", 10));
    EXPECT_EQ(pump->move().value(), 10U);
    EXPECT_EQ(pump->move().value(), 0U);
    EXPECT_NE(log(), without_stamps(log()));
    EXPECT_EQ(without_stamps(log()), std::string("one\nt\0o\n\xff\n", 10));
}

TEST_F(PumpTest, without_stamps_writes_the_bytes_as_they_come)
{
    options_.timestamps = LogTimestamps::none;
    const auto pump = opened();
    write("one\npart");
    ASSERT_TRUE(pump->drain());
    write("ial\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(log(), "one\npartial\n");
}

TEST_F(PumpTest, appends_to_what_is_there_and_to_what_others_write)
{
    for (const auto kind : {LogTimestamps::none, LogTimestamps::iso8601}) {
        options_.timestamps = kind;
        fs::create_directories(scratch_ / "log");
        scratch_.write("log/web.log", "old\n");
        const auto pump = opened();
        write("one\n");
        ASSERT_TRUE(pump->drain());
        std::ofstream(log_path(), std::ios::app) << "from elsewhere\n";
        write("two\n");
        ASSERT_TRUE(pump->drain());
        EXPECT_EQ(without_stamps(log()), "old\none\nfrom elsewhere\ntwo\n");
    }
}

TEST_F(PumpTest, goes_on_at_the_start_of_a_log_that_was_cut)
{
    const auto pump = opened();
    write("one\n");
    ASSERT_TRUE(pump->drain());
    fs::resize_file(log_path(), 0);
    write("two\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(log()), "two\n");
    EXPECT_THAT(log(), StartsWith("2"));  // and not with a hole
}

TEST_F(PumpTest, a_line_in_parts_has_one_stamp_even_over_a_change_of_process)
{
    write("par");
    ASSERT_TRUE(opened()->drain());
    write("ti");
    ASSERT_TRUE(opened()->drain());
    write("al\nnext\n");
    ASSERT_TRUE(opened()->drain());
    EXPECT_EQ(without_stamps(log()), "partial\nnext\n");
}

TEST_F(PumpTest, begins_a_line_for_the_next_program)
{
    const auto pump = opened();
    write("no end");
    ASSERT_TRUE(pump->drain());
    ASSERT_TRUE(pump->begin_launch());
    ASSERT_TRUE(pump->begin_launch());
    write("one\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(log()), "no end\none\n");
    write("no end");
    ASSERT_TRUE(pump->drain());
    fs::remove(log_path());
    ASSERT_TRUE(pump->drain());
    ASSERT_TRUE(pump->begin_launch());
    write("one\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(log()), "one\n");
}

TEST_F(PumpTest, a_line_of_megabytes_passes_whole)
{
    const auto pump = opened();
    std::thread writer([&] {
        const std::string block(1 << 16, 'x');
        const auto end = os::open_mailbox(fifo_);
        for (int i = 0; i < 64; ++i) ASSERT_TRUE(os::write_all(*end, block));
        ASSERT_TRUE(os::write_all(*end, "\n"));
    });
    std::size_t moved = 0;
    while (moved < (1U << 22) + 1) moved += pump->move().value();
    writer.join();
    EXPECT_EQ(without_stamps(log()), std::string(1 << 22, 'x') + "\n");
}

TEST_F(PumpTest, makes_a_log_anew_that_was_removed_with_its_directory)
{
    const auto pump = opened();
    fs::remove_all(scratch_ / "log");
    write("one\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(log()), "one\n");
}

TEST_F(PumpTest, what_comes_while_the_log_cannot_be_opened_is_kept)
{
    const auto pump = opened();
    write("one\n");
    ASSERT_TRUE(pump->drain());
    fs::remove(log_path());
    const auto target = scratch_.write("target", "precious\n");
    fs::create_symlink(target, log_path());
    for (int i = 0; i < 3; ++i) {
        write("two\n");
        const auto drained = pump->drain();
        ASSERT_FALSE(drained);
        EXPECT_THAT(drained.error().message(), HasSubstr("symbolic link"));
        EXPECT_TRUE(pump->owes());
    }
    fs::remove(log_path());
    write("three\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(log()), "two\ntwo\ntwo\nthree\n");
    EXPECT_EQ(test::content_of(target), "precious\n");
    EXPECT_FALSE(pump->take_loss());
    EXPECT_FALSE(pump->owes());
}

TEST_F(PumpTest, what_is_too_much_to_keep_is_dropped_line_by_line_and_counted)
{
    for (const auto kind : {LogTimestamps::none, LogTimestamps::iso8601}) {
        options_.timestamps = kind;
        fs::remove_all(scratch_ / "log");
        auto pump = opened();
        fs::remove_all(scratch_ / "log");
        scratch_.write("log", "in its place");
        std::size_t lines = 0;
        for (int block = 0; block < 100; ++block) {
            std::string text;
            for (int i = 0; i < 200; ++i) text += std::to_string(lines++) + std::string(90, '.') + "\n";
            if (block == 99) text += "begun";
            write(text);
            ASSERT_FALSE(pump->move());
            pump->absorb();
        }
        ASSERT_EQ(os::bytes_waiting(fifo_), 0U);
        pump = this->pump();  // the count survives its counter
        fs::remove(scratch_ / "log");
        const bool killed = kind == LogTimestamps::iso8601;
        ASSERT_TRUE(pump->open());
        write(killed ? "\nafter\n" : "after\n");
        ASSERT_TRUE(pump->drain());
        write("last\n");
        ASSERT_TRUE(pump->drain());
        const std::string text = without_stamps(log());
        EXPECT_THAT(text, StartsWith("0.."));
        EXPECT_THAT(text, EndsWith("last\n"));
        const auto notice = text.find("\nsteward: ");
        ASSERT_NE(notice, std::string::npos);
        EXPECT_GT(notice, 1U << 19);
        const auto loss = pump->take_loss();
        EXPECT_GT(loss.lines, 1000U);
        EXPECT_THAT(text, HasSubstr("\nsteward: " + std::to_string(loss.lines) + " lines"));
        // What was kept and what was dropped are all the lines there were.
        const auto kept = static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(notice) + 1, '\n'));
        EXPECT_LE(kept + loss.lines, lines + 2);
        EXPECT_GE(kept + loss.lines, lines);
        EXPECT_FALSE(pump->take_loss());
    }
}

// In its place stands something else, and more than is kept has come.
class PumpWithLoss : public PumpTest {
  protected:
    void lose(Pump& pump, const std::string& last) const
    {
        fs::remove_all(scratch_ / "log");
        scratch_.write("log", "in its place");
        const std::string block = std::string(99, '.') + "\n";
        for (int i = 0; i < 12'000; ++i) {
            write(block);
            if (i % 500 == 0) pump.absorb();
        }
        write(last);
        EXPECT_FALSE(pump.drain());
        EXPECT_EQ(os::bytes_waiting(fifo_), 0U);
        fs::remove(scratch_ / "log");
    }
    [[nodiscard]] static std::size_t notices(const std::string& text)
    {
        std::size_t count = 0;
        for (auto at = text.find("\nsteward: "); at != std::string::npos; at = text.find("\nsteward: ", at + 1)) ++count;
        return count;
    }
};

TEST_F(PumpWithLoss, a_line_that_was_dropped_in_part_is_dropped_to_its_end_and_counted)
{
    for (const auto kind : {LogTimestamps::none, LogTimestamps::iso8601}) {
        options_.timestamps = kind;
        const auto pump = opened();
        lose(*pump, "begun");
        ASSERT_TRUE(pump->move());
        EXPECT_EQ(notices(without_stamps(log())), 0U);
        EXPECT_TRUE(pump->owes()) << "how much was dropped is not known yet";
        EXPECT_FALSE(pump->take_loss());
        write(" and ended\nnext\nla");
        ASSERT_TRUE(pump->move());
        write("st\n");
        ASSERT_TRUE(pump->drain());
        const std::string text = without_stamps(log());
        EXPECT_EQ(notices(text), 1U);
        EXPECT_THAT(text, EndsWith("the log could not be written\nnext\nlast\n"));
        const auto kept = text.find("\nsteward: ");
        EXPECT_EQ(pump->take_loss().bytes, 1'200'000U + 16 - kept - (text[kept - 1] == '\n' ? 1 : 0)) << "each byte is there or counted";
        EXPECT_FALSE(pump->owes());
    }
}

TEST_F(PumpWithLoss, is_told_by_who_takes_all_there_is_though_its_last_line_has_no_end)
{
    const auto pump = opened();
    lose(*pump, "begun");
    ASSERT_TRUE(pump->drain());
    EXPECT_THAT(log(), EndsWith("the log could not be written\n"));
    EXPECT_TRUE(pump->take_loss());
    EXPECT_FALSE(pump->owes());
    write(" and ended\nnext\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_THAT(without_stamps(log()), EndsWith("\nsteward: 1 lines (11 bytes) were dropped here: the log could not be written\nnext\n"));
}

TEST_F(PumpWithLoss, a_line_that_was_dropped_in_part_is_dropped_to_its_end_by_who_takes_over)
{
    for (const auto kind : {LogTimestamps::none, LogTimestamps::iso8601}) {
        options_.timestamps = kind;
        lose(*opened(), "begun");
        write(" and");
        ASSERT_TRUE(opened()->move());
        write(" ended\nnext\n");
        ASSERT_TRUE(opened()->drain());
        EXPECT_THAT(without_stamps(log()), EndsWith("the log could not be written\nnext\n"));
    }
}

TEST_F(PumpWithLoss, of_a_line_that_its_program_did_not_end_drops_nothing_of_the_next_one_by_who_takes_over)
{
    {
        const auto pump = opened();
        lose(*pump, "begun");
        ASSERT_TRUE(pump->drain());
        ASSERT_TRUE(pump->begin_launch());
    }
    write("one\n");
    ASSERT_TRUE(opened()->drain());
    EXPECT_THAT(without_stamps(log()), EndsWith("the log could not be written\none\n"));
}

TEST_F(PumpWithLoss, its_last_line_has_nothing_of_the_next_program)
{
    for (const auto kind : {LogTimestamps::none, LogTimestamps::iso8601}) {
        options_.timestamps = kind;
        const auto pump = opened();
        lose(*pump, "begun");
        ASSERT_TRUE(pump->drain());
        ASSERT_TRUE(pump->begin_launch());
        write("one\n");
        ASSERT_TRUE(pump->drain());
        EXPECT_THAT(without_stamps(log()), EndsWith("the log could not be written\none\n"));
    }
}

TEST_F(PumpWithLoss, is_told_once_though_its_teller_was_killed_before_it_could_note_that)
{
    {
        const auto pump = opened();
        lose(*pump, "begun");
        ASSERT_TRUE(pump->move());
        ASSERT_TRUE(pump->owes());
        std::ofstream(log_path(), std::ios::app) << "\nsteward: 12 lines (34 bytes) were dropped here";
    }
    ASSERT_TRUE(opened()->drain());
    EXPECT_EQ(notices(without_stamps(log())), 1U);
}

TEST_F(PumpWithLoss, who_writes_faster_than_it_is_dropped_does_not_keep_its_reader)
{
    constexpr std::size_t all = std::size_t{64} << 20;
    const auto pump = opened();
    fs::remove_all(scratch_ / "log");
    scratch_.write("log", "in its place");
    std::atomic<std::size_t> written = 0;
    std::atomic<std::size_t> done = 0;
    std::vector<std::thread> writers;
    for (int i = 0; i < 3; ++i) {
        writers.emplace_back([&] {
            const auto end = os::open_mailbox(fifo_);
            const std::string block(1 << 16, 'x');
            while (written < all && os::write_all(*end, block)) written += block.size();
            ++done;
        });
    }
    while (os::bytes_waiting(fifo_) == 0) std::this_thread::yield();
    pump->absorb();
    EXPECT_LT(written, all / 4);
    fs::remove(scratch_ / "log");
    EXPECT_TRUE(pump->move());
    EXPECT_LT(written, all / 2);
    while (done < writers.size()) pump->absorb();
    for (auto& writer : writers) writer.join();
}

TEST_F(PumpTest, lines_that_the_spool_has_no_room_for_go_into_the_log)
{
    options_.rate_limit = {.lines = 3, .window = std::chrono::hours(1)};
    Pump pump(options_, fifo_, test::full_spool());
    ASSERT_TRUE(pump.open());
    write("one\ntw");
    ASSERT_TRUE(pump.drain());
    write("o\n" + std::string(10000, 'x') + "\nfour\n");
    ASSERT_TRUE(pump.move());
    ASSERT_TRUE(pump.drain());
    EXPECT_THAT(without_stamps(log()),
                StartsWith("one\ntwo\n" + std::string(10000, 'x') + "\nsteward: 1 lines (5 bytes) were dropped here"));
    EXPECT_FALSE(pump.owes());
    // Neither has room any more.
    fs::remove_all(scratch_ / "log");
    scratch_.write("log", "in its place");
    const std::string lost = "five\n" + std::string(10000, 'x') + "\n";
    write(lost);
    ASSERT_FALSE(pump.drain());
    fs::remove(scratch_ / "log");
    ASSERT_TRUE(pump.drain());
    EXPECT_THAT(without_stamps(log()), StartsWith("steward: 2 lines (10006 bytes) were dropped here: the log could not be written"));
    EXPECT_EQ(pump.take_loss().bytes, lost.size());
}

TEST_F(PumpTest, a_rotation_is_told_before_its_lines_are_out_of_sight)
{
    options_.rotation = {.max_size = 1000, .keep = 1};
    const auto pump = opened();
    std::string seen;
    pump->before_rotation([&] { seen += log(); });
    std::string all;
    for (int i = 0; i < 500; ++i) all += "line " + std::to_string(i) + "\n";
    write(all);
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(seen + log()), all);
}

TEST_F(PumpTest, what_cannot_be_marked_as_written_is_not_left_in_the_log)
{
    const auto pump = opened();
    write("one\n");
    pump->absorb();
    int spool = -1;
    for (const auto& open : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        if (fs::read_symlink(open.path(), gone) == scratch_ / "spool") spool = std::stoi(open.path().filename());
    }
    const os::UniqueFd writable(dup(spool));
    const os::UniqueFd readable(::open((scratch_ / "spool").c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(writable && readable);
    ASSERT_EQ(dup2(readable.get(), spool), spool);
    EXPECT_FALSE(pump->drain());
    EXPECT_EQ(log(), "");
    ASSERT_EQ(dup2(writable.get(), spool), spool);
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(log()), "one\n");
}

TEST_F(PumpTest, a_batch_that_was_cut_short_by_a_kill_is_brought_again)
{
    {
        const auto pump = opened();
        write("one\n");
        ASSERT_TRUE(pump->drain());
    }
    // Killed after the bytes were taken, and in the middle of bringing them.
    {
        auto spool = Spool::open(os::open_at(directory_, "spool", {.read = true, .write = true}).value()).value();
        write("two\nthree\n");
        ASSERT_EQ(spool.take(fifo_, 100).value(), 10U);
        std::ofstream(log_path(), std::ios::app) << "2026-11-21T12:02:15.123456Z two\n2026-11-21T12:0";
    }
    write("four\n");
    ASSERT_TRUE(opened()->drain());
    EXPECT_EQ(without_stamps(log()), "one\ntwo\nthree\nfour\n");
}

TEST_F(PumpTest, a_batch_cut_short_in_a_log_that_was_renamed_since_is_cut_there)
{
    {
        const auto pump = opened();
        write("one\n");
        ASSERT_TRUE(pump->drain());
        auto spool = Spool::open(os::open_at(directory_, "spool", {.read = true, .write = true}).value()).value();
        write("two\n");
        ASSERT_EQ(spool.take(fifo_, 100).value(), 4U);
        std::ofstream(log_path(), std::ios::app) << "tw";
        fs::rename(log_path(), log_path() + ".1");
    }
    ASSERT_TRUE(opened()->drain());
    EXPECT_EQ(without_stamps(test::content_of(log_path() + ".1")), "one\n");
    EXPECT_EQ(without_stamps(log()), "two\n");
}

std::string line_of(int number)
{
    return std::to_string(number) + std::string(40, '.') + "\n";
}

TEST_F(PumpTest, rotates_a_full_log_between_lines)
{
    for (const auto kind : {LogTimestamps::none, LogTimestamps::iso8601}) {
        options_.timestamps = kind;
        options_.rotation = {.max_size = 1000, .keep = 99};
        fs::remove_all(scratch_ / "log");
        const auto pump = opened();
        std::string all;
        for (int block = 0; block < 20; ++block) {
            std::string text;
            for (int i = 0; i < 10; ++i) text += line_of(block * 10 + i);
            write(text);
            ASSERT_TRUE(pump->drain());
            all += text;
        }
        EXPECT_TRUE(pump->take_rotated());
        EXPECT_FALSE(pump->take_rotation_fault());
        EXPECT_EQ(without_stamps(log_and_rotated()), all);
        for (int number = 1; fs::exists(log_path() + "." + std::to_string(number)); ++number) {
            const std::string text = test::content_of(log_path() + "." + std::to_string(number));
            EXPECT_THAT(text, EndsWith(".\n"));
            EXPECT_GE(text.size(), 1000U);
            EXPECT_LT(text.size(), 1100U);
        }
    }
}

TEST_F(PumpTest, a_line_that_does_not_end_does_not_grow_a_log_for_ever)
{
    options_.rotation = {.max_size = 10'000, .keep = 99};
    const auto pump = opened();
    std::string all;
    for (int i = 0; i < 10; ++i) {
        write(std::string(9'000, static_cast<char>('a' + i)));
        all += std::string(9'000, static_cast<char>('a' + i));
        ASSERT_TRUE(pump->drain());
    }
    EXPECT_EQ(without_stamps(log_and_rotated()), all);
    EXPECT_LE(fs::file_size(log_path() + ".1"), 30'000U);
    EXPECT_GE(fs::file_size(log_path() + ".1"), 20'000U);
}

TEST_F(PumpTest, rotates_by_request_what_is_not_empty)
{
    options_.rotation = {.max_size = 0, .keep = 2};
    const auto pump = opened();
    ASSERT_TRUE(pump->rotate());
    EXPECT_FALSE(fs::exists(log_path() + ".1"));
    write("one\n");
    ASSERT_TRUE(pump->drain());
    ASSERT_TRUE(pump->rotate());
    EXPECT_EQ(log(), "");
    write("two\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(log_and_rotated()), "one\ntwo\n");
}

TEST_F(PumpTest, writes_on_in_a_log_that_was_renamed_until_it_is_told)
{
    const auto pump = opened();
    write("one\n");
    ASSERT_TRUE(pump->drain());
    ASSERT_TRUE(pump->reopen());
    fs::rename(log_path(), log_path() + ".old");
    write("two\n");
    ASSERT_TRUE(pump->drain());
    ASSERT_TRUE(pump->reopen());
    write("three\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(test::content_of(log_path() + ".old")), "one\ntwo\n");
    EXPECT_EQ(without_stamps(log()), "three\n");
}

TEST_F(PumpTest, a_full_log_that_cannot_be_rotated_is_written_on)
{
    options_.rotation = {.max_size = 100, .keep = 1};
    const auto pump = opened();
    fs::create_directories(log_path() + ".1/full");
    std::string all;
    for (int i = 0; i < 10; ++i) {
        write(line_of(i));
        all += line_of(i);
        ASSERT_TRUE(pump->drain());
    }
    EXPECT_EQ(without_stamps(log()), all);
    const auto fault = pump->take_rotation_fault();
    ASSERT_TRUE(fault);
    EXPECT_THAT(fault->message(), HasSubstr("cannot rotate log file"));
    fs::remove_all(log_path() + ".1");
    for (int i = 0; i < 10; ++i) {
        write(line_of(i));
        ASSERT_TRUE(pump->drain());
    }
    EXPECT_TRUE(pump->take_rotated());
}

TEST_F(PumpTest, a_rate_limit_drops_lines_and_says_how_many)
{
    options_.rate_limit = {.lines = 3, .window = std::chrono::hours(1)};
    auto pump = opened();
    write("1\n2\n3\n4\n5\n");
    ASSERT_EQ(pump->move().value(), 10U);
    EXPECT_EQ(without_stamps(log()), "1\n2\n3\n");
    EXPECT_TRUE(pump->report_after());
    pump.reset();
    pump = opened();  // the count survives its counter
    write("6\n");
    ASSERT_TRUE(pump->drain());
    EXPECT_EQ(without_stamps(log()), "1\n2\n3\nsteward: 3 lines (6 bytes) were dropped here: more than 3 lines in 3600 s\n");
    EXPECT_FALSE(pump->report_after());
}

TEST_F(PumpTest, a_report_that_is_due_is_made_though_somebody_has_begun_a_line_in_the_log)
{
    options_.rate_limit = {.lines = 1, .window = std::chrono::milliseconds(500)};
    const auto pump = opened();
    write("1\n2\n");
    ASSERT_TRUE(pump->move());
    std::ofstream(log_path(), std::ios::app) << "from elsewhere";
    while (pump->report_after().value_or(std::chrono::microseconds(0)).count() != 0) std::this_thread::yield();
    ASSERT_TRUE(pump->move());
    EXPECT_FALSE(pump->report_after());
    EXPECT_EQ(without_stamps(log()), "1\nfrom elsewhere\nsteward: 1 lines (2 bytes) were dropped here: more than 1 lines in 500 ms\n");
}

TEST_F(PumpTest, a_line_that_a_dead_program_did_not_end_and_that_was_dropped_has_nothing_of_the_next_one)
{
    for (const auto kind : {LogTimestamps::none, LogTimestamps::iso8601}) {
        options_.timestamps = kind;
        options_.rate_limit = {.lines = 1, .window = std::chrono::milliseconds(500)};
        const auto pump = opened();
        write("1\n2\nno end");
        ASSERT_TRUE(pump->drain());
        ASSERT_TRUE(pump->begin_launch());
        std::this_thread::sleep_for(options_.rate_limit.window);
        write("one\n");
        ASSERT_TRUE(pump->drain());
        EXPECT_THAT(without_stamps(log()), EndsWith("\none\n"));
    }
}

TEST_F(PumpTest, two_do_not_write_one_log)
{
    const auto first = opened();
    const auto fifo = os::make_nameless_fifo(geteuid(), getegid()).value();
    auto spool = Spool::open(os::make_memory_file("spool").value()).value();
    Pump second(options_, fifo, std::move(spool));
    const auto refused = second.open();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("another service writes it"));
}

// Numbered lines of random length through a pump that is killed at any moment: every line is there, once, in order, whole.
TEST_F(PumpTest, loses_and_doubles_nothing_when_it_is_killed_at_any_moment)
{
    constexpr int lines = 100'000;
    const RotationRules rotation{.max_size = 100'000, .keep = 10'000};
    for (const auto& [kind, rules] : {std::pair{LogTimestamps::none, RotationRules{}},
                                      {LogTimestamps::iso8601, RotationRules{}},
                                      {LogTimestamps::none, rotation},
                                      {LogTimestamps::iso8601, rotation}}) {
        options_.timestamps = kind;
        options_.rotation = rules;
        fs::remove_all(scratch_ / "log");
        // A byte for each kill: the writer goes on after some, or a machine that is slow to kill has it all written by one pump.
        const auto killed = os::make_pipe();
        ASSERT_TRUE(killed);
        const pid_t writer = fork();
        if (writer == 0) {
            const auto end = os::open_mailbox(fifo_);
            std::minstd_rand random(1);
            std::string text;
            for (int i = 0; i < lines; ++i) {
                text += std::to_string(i) + std::string(random() % 80, '.') + "\n";
                if (text.size() > random() % 20000 && !os::write_all(*end, std::exchange(text, ""))) _exit(1);
                char byte = 0;
                if (i % 20'000 == 0 && read(killed->read.get(), &byte, 1) != 1) _exit(1);
            }
            _exit(os::write_all(*end, text) ? 0 : 1);
        }
        std::minstd_rand random(2);
        int kills = 0;
        for (bool writes = true; writes; ++kills) {
            const pid_t mover = fork();
            if (mover == 0) {
                const auto pump = opened();
                for (;;) static_cast<void>(pump->move());
            }
            std::this_thread::sleep_for(std::chrono::microseconds(500 + random() % 5000));
            kill(mover, SIGKILL);
            waitpid(mover, nullptr, 0);
            ASSERT_TRUE(os::write_all(killed->write, "x"));
            writes = waitpid(writer, nullptr, WNOHANG) == 0;
        }
        ASSERT_TRUE(opened()->drain());
        std::istringstream text(log_and_rotated());
        std::string line;
        int next = 0;
        while (std::getline(text, line)) {
            if (kind == LogTimestamps::iso8601) line.erase(0, stamp_length(line, kind));
            const int number = std::atoi(line.c_str());
            ASSERT_EQ(number, next) << "after " << kills << " kills: " << line;
            ++next;
        }
        EXPECT_EQ(next, lines) << kills;
        EXPECT_GT(kills, 3);
    }
}

}  // namespace
}  // namespace steward::log
