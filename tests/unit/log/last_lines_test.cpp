#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "compressed.hpp"
#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "log/log_file.hpp"

namespace steward::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LastLines : public testing::Test {
  protected:
    [[nodiscard]] std::vector<std::string> lines(const std::string& content, unsigned count) const
    {
        return last_lines(scratch.write("web.log", content), count).value();
    }
    test::ScratchDirectory scratch;
};

TEST_F(LastLines, are_the_last_in_their_order)
{
    EXPECT_THAT(lines("one\ntwo\nthree\n", 2), ElementsAre("two", "three"));
    EXPECT_THAT(lines("one\ntwo\nthree\n", 3), ElementsAre("one", "two", "three"));
    EXPECT_THAT(lines("one\ntwo\nthree\n", 10), ElementsAre("one", "two", "three"));
    EXPECT_THAT(lines("one\n", 0), IsEmpty());
}

TEST_F(LastLines, count_a_line_that_has_not_ended_yet)
{
    EXPECT_THAT(lines("one\ntwo", 1), ElementsAre("two"));
    EXPECT_THAT(lines("one", 5), ElementsAre("one"));
}

TEST_F(LastLines, keep_empty_lines_and_odd_bytes)
{
    EXPECT_THAT(lines("\n", 5), ElementsAre(""));
    EXPECT_THAT(lines("\n\none\n\n", 5), ElementsAre("", "", "one", ""));
    EXPECT_THAT(lines(std::string("a\0b\r\n\xff\n", 7), 5), ElementsAre(std::string("a\0b\r", 4), "\xff"));
}

TEST_F(LastLines, of_nothing_are_none)
{
    EXPECT_THAT(lines("", 5), IsEmpty());
    EXPECT_THAT(last_lines(scratch / "none.log", 5).value(), IsEmpty());
    EXPECT_THAT(last_lines(scratch / "none/web.log", 5).value(), IsEmpty());
    EXPECT_THAT(last_lines(scratch.write("file", "") + "/web.log", 5).value(), IsEmpty());
}

TEST_F(LastLines, go_on_in_the_newest_rotated_file)
{
    scratch.write("web.log.2", "zero\n");
    scratch.write("web.log.1", "one\ntwo\n");
    EXPECT_THAT(lines("three\n", 2), ElementsAre("two", "three"));
    EXPECT_THAT(lines("three\n", 9), ElementsAre("one", "two", "three"));
    EXPECT_THAT(lines("three\n", 1), ElementsAre("three"));
    EXPECT_THAT(lines("", 1), ElementsAre("two"));
    std::filesystem::remove(scratch / "web.log");
    EXPECT_THAT(last_lines(scratch / "web.log", 1).value(), ElementsAre("two"));
}

TEST_F(LastLines, go_on_in_a_compressed_file)
{
    scratch.write("web.log.1.gz", test::gzipped("one\ntwo\n"));
    EXPECT_THAT(lines("three\n", 2), ElementsAre("two", "three"));
    std::filesystem::remove(scratch / "web.log.1.gz");
    scratch.write("web.log-20261121.zst", test::zstandard("one\ntwo"));
    EXPECT_THAT(lines("three\n", 9), ElementsAre("one", "two", "three"));
}

TEST_F(LastLines, are_shown_whatever_the_rotated_file_is)
{
    scratch.write("web.log.1.gz", "damaged");
    EXPECT_THAT(lines("one\n", 9), ElementsAre("one"));
    std::filesystem::remove(scratch / "web.log.1.gz");
    std::filesystem::create_directory(scratch / "web.log.1");
    EXPECT_THAT(lines("one\n", 9), ElementsAre("one"));
    std::filesystem::remove(scratch / "web.log.1");
    scratch.write("web.log.1.zst", test::zstandard(std::string(70'000'000, 'x') + "\ntwo\n"));
    EXPECT_THAT(lines("one\n", 9), ElementsAre("one"));
    std::filesystem::remove(scratch / "web.log.1.zst");
    scratch.write("web.log.1", std::string(100'000, 'x') + "\ntwo\n");
    EXPECT_THAT(lines("one\n", 9), ElementsAre("two", "one"));
}

TEST_F(LastLines, of_a_long_log_are_whole_and_at_most_64_kib)
{
    std::string content;
    for (int number = 100000; number < 120000; ++number) content += std::to_string(number) + "\n";
    EXPECT_THAT(lines(content, 2), ElementsAre("119998", "119999"));
    const auto many = lines(content, 20000);
    EXPECT_EQ(many.size(), 64U * 1024 / 7);
    for (const std::string& line : many) EXPECT_EQ(line.size(), 6U);
    EXPECT_EQ(many.back(), "119999");
}

TEST_F(LastLines, show_the_end_of_one_endless_line)
{
    const auto shown = lines(std::string(100000, 'x') + "end\n", 3);
    ASSERT_EQ(shown.size(), 1U);
    EXPECT_EQ(shown[0].size(), 64U * 1024 - 1);
    EXPECT_TRUE(shown[0].ends_with("xend"));
}

TEST_F(LastLines, of_what_is_no_file_are_an_error)
{
    ASSERT_EQ(mkfifo((scratch / "fifo").c_str(), 0644), 0);
    const auto read = last_lines(scratch / "fifo", 5);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message(), "cannot read log file '" + (scratch / "fifo") + "': it is not a regular file");
    ASSERT_EQ(symlink("fifo", (scratch / "link").c_str()), 0);
    EXPECT_FALSE(last_lines(scratch / "link", 5));
    EXPECT_FALSE(last_lines(scratch.path(), 5));
}

TEST_F(LastLines, that_one_may_not_read_are_not_permitted)
{
    scratch.write("web.log", "one\n");
    ASSERT_EQ(chmod((scratch / "web.log").c_str(), 0600), 0);
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    const int outcome = test::in_child([this] {
        if (setuid(65534) != 0) return 99;
        const auto read = last_lines(scratch / "web.log", 5);
        return !read && read.error().code == ErrorCode::not_permitted ? 0 : 1;
    });
    EXPECT_EQ(outcome, 0);
}

TEST_F(LastLines, after_an_offset_are_those_of_this_start)
{
    const auto file = open_log({.path = scratch / "log/web.log", .system_scope = true});
    ASSERT_TRUE(file && os::write_all(*file, "before\nthe start\n"));
    const std::uint64_t offset = 17;
    EXPECT_THAT(last_lines_after(*file, offset, 5).value(), IsEmpty());
    ASSERT_TRUE(os::write_all(*file, "one\ntwo\nthree"));
    EXPECT_THAT(last_lines_after(*file, offset, 5).value(), ElementsAre("one", "two", "three"));
    EXPECT_THAT(last_lines_after(*file, offset, 2).value(), ElementsAre("two", "three"));
    ASSERT_EQ(ftruncate(file->get(), 0), 0);
    ASSERT_TRUE(os::write_all(*file, "new\n"));
    EXPECT_THAT(last_lines_after(*file, offset, 5).value(), ElementsAre("new"));
}

TEST_F(LastLines, after_an_offset_are_at_most_64_kib)
{
    const os::UniqueFd file(open(scratch.write("web.log", "old\n" + std::string(100000, 'x') + "\nnew\n").c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_THAT(last_lines_after(file, 4, 5).value(), ElementsAre("new"));
}

TEST_F(LastLines, after_an_offset_of_no_file_are_an_error)
{
    EXPECT_FALSE(last_lines_after(os::BorrowedFd(-1), 0, 5));
    const auto pipe = os::make_pipe();
    EXPECT_FALSE(last_lines_after(pipe->read, 0, 5));
}

}  // namespace
}  // namespace steward::log
