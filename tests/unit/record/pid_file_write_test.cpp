#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "record/pid_file.hpp"

namespace steward::record {
namespace {

using testing::HasSubstr;

class PidFileWrite : public testing::Test {
  protected:
    test::ScratchDirectory scratch;
    std::string path = scratch / "web.pid";

    [[nodiscard]] std::size_t files() const
    {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(scratch.path()), {}));
    }
};

TEST_F(PidFileWrite, writes_the_number_and_a_newline_readable_by_all)
{
    const mode_t umask_before = umask(077);
    const auto written = write_pid_file(path, 4121, 0);
    umask(umask_before);
    ASSERT_TRUE(written) << written.error().message();
    EXPECT_EQ(test::content_of(path), "4121\n");
    struct stat found {};
    ASSERT_EQ(stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777U, 0644U);
    EXPECT_EQ(read_pid_file(path, 0).pid, 4121);
    EXPECT_EQ(files(), 1U);
}

TEST_F(PidFileWrite, replaces_an_older_file_whole)
{
    scratch.write("web.pid", "something much longer than a number\n");
    const int reader = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_TRUE(write_pid_file(path, 77, 0));
    EXPECT_EQ(test::content_of(path), "77\n");
    char first = 0;
    EXPECT_EQ(read(reader, &first, 1), 1);  // who had it open keeps the old one
    EXPECT_EQ(first, 's');
    close(reader);
}

TEST_F(PidFileWrite, missing_directory_is_named_with_the_way_out)
{
    path = scratch / "none/web.pid";
    for (const auto& result : {write_pid_file(path, 4121, 0), check_pid_file_place(path, 0)}) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::failed);
        EXPECT_EQ(result.error().message(), "cannot write PID file '" + path + "': there is no directory '" + (scratch / "none") +
                                                "' (try: mkdir -p " + (scratch / "none") + ")");
    }
}

TEST_F(PidFileWrite, check_accepts_a_good_place_and_writes_nothing)
{
    EXPECT_TRUE(check_pid_file_place(path, 0));
    EXPECT_EQ(files(), 0U);
    scratch.write("web.pid", "4121\n");
    EXPECT_TRUE(check_pid_file_place(path, 0));
    EXPECT_EQ(test::content_of(path), "4121\n");
}

TEST_F(PidFileWrite, full_file_system_leaves_the_old_file_and_no_other)
{
    scratch.write("web.pid", "77\n");
    const int outcome = test::in_child([this] {
        const rlimit none{.rlim_cur = 0, .rlim_max = 0};
        std::signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &none) != 0) return 99;
        const auto written = write_pid_file(path, 4121, 0);
        return written ? 98 : (written.error().object == "PID file '" + path + "'" ? 0 : 97);
    });
    EXPECT_EQ(outcome, 0);
    EXPECT_EQ(test::content_of(path), "77\n");
    EXPECT_EQ(files(), 1U);
}

TEST_F(PidFileWrite, removes_its_own_pid_only)
{
    scratch.write("web.pid", "4121\n");
    EXPECT_TRUE(remove_pid_file(path, 4122, 0));
    EXPECT_EQ(files(), 1U);
    EXPECT_TRUE(remove_pid_file(path, 4121, 0));
    EXPECT_EQ(files(), 0U);
    EXPECT_TRUE(remove_pid_file(path, 4121, 0));
    EXPECT_TRUE(remove_pid_file(scratch / "none/web.pid", 4121, 0));
}

TEST_F(PidFileWrite, removes_what_is_stale_when_told_so)
{
    for (const char* content : {"4121\n", "", " \n", "9999999\n"}) {
        scratch.write("web.pid", content);
        EXPECT_TRUE(remove_pid_file(path, 0, 0));
        EXPECT_EQ(files(), 0U) << content;
    }
    scratch.write("web.pid", "abc\n");
    EXPECT_TRUE(remove_pid_file(path, 0, 0));
    EXPECT_EQ(files(), 1U) << "a file that is no PID file is not ours to remove";
}

TEST_F(PidFileWrite, removes_the_pid_file_of_init_in_a_container)
{
    ASSERT_TRUE(write_pid_file(path, 1, 0));
    EXPECT_TRUE(remove_pid_file(path, 1, 0));
    EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace steward::record
