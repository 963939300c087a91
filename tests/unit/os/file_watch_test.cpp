#include "os/file_watch.hpp"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "helpers/scratch.hpp"

namespace steward::os {
namespace {

class Watched : public testing::Test {
  protected:
    test::ScratchDirectory scratch;
    FileWatch watch = std::move(FileWatch::create().value());
};

TEST_F(Watched, a_file_tells_that_it_was_written_and_cut)
{
    const std::string path = scratch.write("log", "one\n");
    const UniqueFd file(open(path.c_str(), O_RDWR | O_APPEND));
    const int number = watch.add_file(file).value();
    ASSERT_EQ(write(file.get(), "two\n", 4), 4);
    EXPECT_EQ(watch.wait().value().front().watch, number);
    ASSERT_EQ(ftruncate(file.get(), 0), 0);
    EXPECT_EQ(watch.wait().value().front().watch, number);
}

TEST_F(Watched, a_file_is_watched_whatever_its_name_is_by_now)
{
    const std::string path = scratch.write("log", "one\n");
    const UniqueFd file(open(path.c_str(), O_RDWR | O_APPEND));
    ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
    scratch.write("log", "another");
    const int number = watch.add_file(file).value();
    ASSERT_EQ(write(file.get(), "two\n", 4), 4);
    EXPECT_EQ(watch.wait().value().front().watch, number);
}

TEST_F(Watched, a_directory_tells_which_name_came)
{
    const int number = watch.add_directory(scratch.path()).value();
    scratch.write("log", "");
    auto changes = watch.wait().value();
    EXPECT_EQ(changes.front().watch, number);
    EXPECT_EQ(changes.front().name, "log");
    ASSERT_EQ(rename((scratch / "log").c_str(), (scratch / "log.1").c_str()), 0);
    EXPECT_EQ(watch.wait().value().front().name, "log.1");
}

TEST_F(Watched, waiting_ends_when_nobody_reads_any_more)
{
    const int number = watch.add_directory(scratch.path()).value();
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const UniqueFd writer(ends[1]);
    UniqueFd reader(ends[0]);
    scratch.write("log", "");
    EXPECT_EQ(watch.wait(writer).value().front().watch, number);
    reader.reset();
    scratch.write("other", "");
    EXPECT_EQ(watch.wait(writer).value().front().name, "other");
    EXPECT_TRUE(watch.wait(writer).value().empty());
}

TEST_F(Watched, where_the_kernel_does_not_tell_all_anything_may_have_changed_after_a_while)
{
    const FileWatch looking = FileWatch::create(std::chrono::milliseconds(10)).value();
    const auto changes = looking.wait().value();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes.front().watch, -1);
}

TEST_F(Watched, a_directory_that_is_not_there_is_an_error)
{
    const auto added = watch.add_directory(scratch / "none");
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().os_errno, ENOENT);
}

}  // namespace
}  // namespace steward::os
