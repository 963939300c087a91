#include "supervise/log_lines.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "os/file.hpp"
#include "supervising.hpp"

namespace steward::supervise {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Lines : public testing::Test {
  protected:
    void write(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }
    // As a pump has it.
    [[nodiscard]] os::UniqueFd open() const
    {
        auto log = os::open_following(path_, {.write = true, .append = true, .create = true, .mode = 0600});
        return log ? std::move(*log) : os::UniqueFd();
    }
    [[nodiscard]] static record::LogPlace end_of(os::BorrowedFd log)
    {
        const auto info = os::info(log);
        return {.device = info->device, .inode = info->inode, .offset = info->size};
    }
    static std::vector<std::string> read(LogLines& lines, os::BorrowedFd log)
    {
        std::vector<std::string> told;
        lines.read(log, [&](std::string_view line) { told.emplace_back(line); });
        return told;
    }

    test::ScratchDirectory scratch_;
    std::filesystem::path path_ = scratch_ / "log";
};

TEST_F(Lines, are_told_once_and_when_they_have_ended)
{
    write("of an earlier launch\n");
    const auto log = open();
    LogLines lines(end_of(log), LogTimestamps::none);
    EXPECT_THAT(read(lines, log), IsEmpty());
    write("one\ntw");
    EXPECT_THAT(read(lines, log), ElementsAre("one"));
    write("o\n\nthree\n");
    EXPECT_THAT(read(lines, log), ElementsAre("two", "", "three"));
    EXPECT_THAT(read(lines, log), IsEmpty());
}

TEST_F(Lines, come_without_their_stamps)
{
    const auto log = open();
    LogLines lines(end_of(log), LogTimestamps::iso8601);
    write("2026-11-21T12:02:15.123456Z one\nunstamped\n");
    EXPECT_THAT(read(lines, log), ElementsAre("one", "unstamped"));
}

TEST_F(Lines, of_a_log_that_was_rotated_come_before_those_of_the_next)
{
    auto log = open();
    LogLines lines(end_of(log), LogTimestamps::none);
    write("one\n");
    EXPECT_THAT(read(lines, log), ElementsAre("one"));
    write("two\n");
    std::filesystem::rename(path_, scratch_ / "log.1");
    log = open();
    write("three\n");
    EXPECT_THAT(read(lines, log), ElementsAre("two", "three"));
}

TEST_F(Lines, of_another_log_than_was_launched_into_are_all_later)
{
    write("one\n");
    const auto log = open();
    record::LogPlace elsewhere = end_of(log);
    ++elsewhere.inode;
    LogLines lines(elsewhere, LogTimestamps::none);
    EXPECT_THAT(read(lines, log), ElementsAre("one"));
}

TEST_F(Lines, of_a_launch_into_a_log_that_was_rotated_since_come_all_and_in_order)
{
    write("of an earlier launch\n");
    const auto from = end_of(open());
    write("one\ntw");
    std::filesystem::rename(path_, scratch_ / "log.2");
    write("o\nthree\n");
    std::filesystem::rename(path_, scratch_ / "log.1");
    std::filesystem::copy(scratch_ / "log.2", scratch_ / "log.3");
    write("four\n");
    LogLines lines(from, LogTimestamps::none, path_);
    EXPECT_THAT(read(lines, open()), ElementsAre("one", "two", "three", "four"));
    write("five\n");
    EXPECT_THAT(read(lines, open()), ElementsAre("five"));
}

TEST_F(Lines, without_end_take_no_memory_without_end)
{
    const auto log = open();
    LogLines lines(end_of(log), LogTimestamps::none);
    write(std::string(200000, 'x'));
    EXPECT_THAT(read(lines, log), SizeIs(testing::Ge(2U)));
}

}  // namespace
}  // namespace steward::supervise
