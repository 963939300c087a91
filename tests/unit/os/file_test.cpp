#include "os/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"

namespace steward::os {
namespace {

constexpr uid_t somebody = 65534;

class File : public testing::Test {
  protected:
    [[nodiscard]] UniqueFd open_file(const std::string& name, int flags = O_RDWR) const
    {
        return UniqueFd(open((scratch / name).c_str(), flags | O_CLOEXEC));
    }

    test::ScratchDirectory scratch;
};

using Info = File;

TEST_F(Info, tells_what_fstat_does)
{
    const std::string path = scratch.write("file", "12345");
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    const auto by_fd = info(open_file("file"));
    ASSERT_TRUE(by_fd);
    EXPECT_EQ(by_fd->kind, FileInfo::Kind::regular);
    EXPECT_EQ(by_fd->mode, 0640U);
    EXPECT_EQ(by_fd->uid, geteuid());
    EXPECT_EQ(by_fd->size, 5U);
    EXPECT_EQ(by_fd->links, 1U);
    EXPECT_GT(by_fd->modified_ns, 0);
    EXPECT_EQ(info_at(path)->value(), *by_fd);
    EXPECT_EQ(info(BorrowedFd(-1)).error().os_errno, EBADF);
}

TEST_F(Info, tells_every_kind_apart)
{
    using Kind = FileInfo::Kind;
    ASSERT_EQ(mkfifo((scratch / "fifo").c_str(), 0600), 0);
    ASSERT_EQ(symlink("fifo", (scratch / "link").c_str()), 0);
    const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(address.sun_path, (scratch / "socket").c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(info_at(scratch.path())->value().kind, Kind::directory);
    EXPECT_EQ(info_at(scratch / "fifo")->value().kind, Kind::fifo);
    EXPECT_EQ(info_at(scratch / "link")->value().kind, Kind::symlink);
    EXPECT_EQ(info_at(scratch / "link", true)->value().kind, Kind::fifo);
    EXPECT_EQ(info_at(scratch / "socket")->value().kind, Kind::socket);
    EXPECT_EQ(info_at("/dev/null")->value().kind, Kind::device);
}

TEST_F(Info, is_unset_where_there_is_nothing)
{
    scratch.write("file", "");
    EXPECT_EQ(info_at(scratch / "none").value(), std::nullopt);
    EXPECT_EQ(info_at(scratch / "file/below").value(), std::nullopt);
    EXPECT_EQ(info_at(scratch / std::string(300, 'x')).error().os_errno, ENAMETOOLONG);
}

TEST_F(File, can_be_executed_only_as_a_regular_file_with_an_x_bit)
{
    const std::string path = scratch.write("program", "#!/bin/sh\n");
    EXPECT_FALSE(can_execute(path));
    ASSERT_EQ(chmod(path.c_str(), 0755), 0);
    EXPECT_TRUE(can_execute(path));
    EXPECT_FALSE(can_execute(scratch.path()));
    EXPECT_FALSE(can_execute(scratch / "none"));
}

TEST_F(File, can_be_executed_only_by_whom_its_mode_allows)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs a second user";
    const std::string path = scratch.write("program", "#!/bin/sh\n");
    ASSERT_EQ(chmod(path.c_str(), 0700), 0);
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    EXPECT_EQ(test::in_child([&] { return seteuid(somebody) != 0 || can_execute(path) ? 1 : 0; }), 0);
}

using ReadFile = File;

TEST_F(ReadFile, reads_whole_and_names_the_file_in_errors)
{
    const std::string path = scratch.write("file", "content\n");
    EXPECT_EQ(read_file(path, 100).value(), "content\n");
    EXPECT_EQ(read_file(path, 3).error().message(), "cannot read '" + path + "': longer than 3 bytes");
    EXPECT_EQ(read_file(scratch / "none", 3).error().message(), "cannot open '" + (scratch / "none") + "': No such file or directory");
    EXPECT_EQ(read_file(scratch.path(), 3).error().message(), "cannot read '" + scratch.path() + "': Is a directory");
}

TEST_F(ReadFile, reads_files_of_proc_whose_size_is_zero)
{
    EXPECT_EQ(read_file("/proc/sys/kernel/random/boot_id", 100).value().size(), 37U);
}

TEST_F(ReadFile, does_not_hang_on_a_fifo)
{
    ASSERT_EQ(mkfifo((scratch / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(read_file(scratch / "fifo", 10).value(), "");
}

class ReplaceFile : public File {
  protected:
    [[nodiscard]] std::vector<std::string> names() const { return list_directory(scratch.path()).value(); }
    UniqueFd directory{open(scratch.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
};

TEST_F(ReplaceFile, writes_a_file_with_exactly_its_mode)
{
    for (const bool sync : {false, true}) {
        EXPECT_EQ(test::in_child([&] {
                      umask(077);
                      return replace_file(directory, "file", sync ? "synced" : "plain", 0644, sync) ? 0 : 1;
                  }),
                  0);
        EXPECT_EQ(test::content_of(scratch / "file"), sync ? "synced" : "plain");
        EXPECT_EQ(info_at(scratch / "file")->value().mode, 0644U);
    }
    EXPECT_EQ(names(), std::vector<std::string>{"file"});
}

TEST_F(ReplaceFile, leaves_the_old_file_to_those_who_read_it)
{
    scratch.write("file", "old");
    const UniqueFd reader = open_file("file", O_RDONLY);
    ASSERT_TRUE(replace_file(directory, "file", "new", 0600));
    EXPECT_EQ(read_all(reader, 10).value(), "old");
    EXPECT_EQ(test::content_of(scratch / "file"), "new");
}

TEST_F(ReplaceFile, replaces_a_link_and_never_its_target)
{
    scratch.write("target", "untouched");
    ASSERT_EQ(symlink("target", (scratch / "file").c_str()), 0);
    ASSERT_TRUE(replace_file(directory, "file", "new", 0600));
    EXPECT_EQ(test::content_of(scratch / "target"), "untouched");
    EXPECT_EQ(info_at(scratch / "file")->value().kind, FileInfo::Kind::regular);
}

TEST_F(ReplaceFile, takes_the_longest_name)
{
    EXPECT_TRUE(replace_file(directory, std::string(255, 'n'), "x", 0600));
}

TEST_F(ReplaceFile, passes_over_what_a_crashed_writer_left)
{
    EXPECT_EQ(test::in_child([&] {
                  for (int serial = 0; serial < 20; ++serial) {
                      scratch.write(".steward-" + std::to_string(getpid()) + "-" + std::to_string(serial) + ".tmp", "left over");
                  }
                  return replace_file(directory, "file", "new", 0600) ? 0 : 1;
              }),
              0);
    EXPECT_EQ(test::content_of(scratch / "file"), "new");
}

TEST_F(ReplaceFile, keeps_the_old_file_and_nothing_else_when_writing_fails)
{
    scratch.write("file", "old");
    EXPECT_EQ(test::in_child([&] {
                  signal(SIGXFSZ, SIG_IGN);
                  const rlimit small{.rlim_cur = 10, .rlim_max = 10};
                  setrlimit(RLIMIT_FSIZE, &small);
                  const auto replaced = replace_file(directory, "file", "more than ten bytes", 0600);
                  return !replaced && replaced.error().os_errno == EFBIG ? 0 : 1;
              }),
              0);
    EXPECT_EQ(test::content_of(scratch / "file"), "old");
    EXPECT_EQ(names(), std::vector<std::string>{"file"});
}

TEST_F(ReplaceFile, leaves_nothing_when_the_rename_fails)
{
    std::filesystem::create_directory(scratch / "occupied");
    const auto replaced = replace_file(directory, "occupied", "x", 0600);
    ASSERT_FALSE(replaced);
    EXPECT_EQ(replaced.error().message(), "cannot write 'occupied': Is a directory");
    EXPECT_EQ(names(), std::vector<std::string>{"occupied"});
}

TEST_F(ReplaceFile, tells_a_directory_that_cannot_be_written)
{
    EXPECT_EQ(replace_file(BorrowedFd(-1), "x", "", 0600).error().os_errno, EBADF);
}

TEST_F(ReplaceFile, is_undone_by_remove_at_once_and_again)
{
    ASSERT_TRUE(replace_file(directory, "file", "", 0600));
    EXPECT_TRUE(remove_at(directory, "file"));
    EXPECT_TRUE(remove_at(directory, "file"));
    EXPECT_EQ(names(), std::vector<std::string>());
    std::filesystem::create_directory(scratch / "directory");
    EXPECT_EQ(remove_at(directory, "directory").error().os_errno, EISDIR);
}

using Block = File;

TEST_F(Block, is_written_and_read_at_its_place)
{
    scratch.write("file", "..........");
    const UniqueFd file = open_file("file");
    const std::string text = "block";
    ASSERT_TRUE(write_at(file, std::as_bytes(std::span(text)), 3));
    EXPECT_EQ(test::content_of(scratch / "file"), "...block..");
    std::string back(5, '\0');
    EXPECT_EQ(read_at(file, std::as_writable_bytes(std::span(back)), 3).value(), 5U);
    EXPECT_EQ(back, "block");
    EXPECT_EQ(read_at(file, std::as_writable_bytes(std::span(back)), 8).value(), 2U);
    EXPECT_EQ(read_at(file, std::as_writable_bytes(std::span(back)), 100).value(), 0U);
}

TEST_F(Block, tells_what_hinders_it)
{
    scratch.write("file", "");
    std::string text = "block";
    EXPECT_EQ(write_at(open_file("file", O_RDONLY), std::as_bytes(std::span(text)), 0).error().os_errno, EBADF);
    EXPECT_EQ(read_at(open_file("file", O_WRONLY), std::as_writable_bytes(std::span(text)), 0).error().os_errno, EBADF);
}

TEST_F(Block, that_fits_only_in_part_is_an_error)
{
    scratch.write("file", "");
    EXPECT_EQ(test::in_child([&] {
                  signal(SIGXFSZ, SIG_IGN);
                  const rlimit small{.rlim_cur = 3, .rlim_max = 3};
                  setrlimit(RLIMIT_FSIZE, &small);
                  const std::string text = "block";
                  const auto written = write_at(open_file("file"), std::as_bytes(std::span(text)), 0);
                  return !written && written.error().os_errno == EFBIG ? 0 : 1;
              }),
              0);
}

TEST_F(File, tells_its_tail)
{
    scratch.write("file", "0123456789");
    scratch.write("empty", "");
    EXPECT_EQ(read_tail(open_file("file"), 4).value(), "6789");
    EXPECT_EQ(read_tail(open_file("file"), 10).value(), "0123456789");
    EXPECT_EQ(read_tail(open_file("file"), 100).value(), "0123456789");
    EXPECT_EQ(read_tail(open_file("empty"), 4).value(), "");
    EXPECT_EQ(read_tail(BorrowedFd(-1), 4).error().os_errno, EBADF);
}

TEST_F(File, changes_mode_size_and_owner)
{
    scratch.write("file", "0123456789");
    const UniqueFd file = open_file("file");
    ASSERT_TRUE(change_mode(file, 0604));
    ASSERT_TRUE(set_file_size(file, 4));
    EXPECT_EQ(info(file)->mode, 0604U);
    EXPECT_EQ(test::content_of(scratch / "file"), "0123");
    EXPECT_EQ(change_mode(BorrowedFd(-1), 0600).error().os_errno, EBADF);
    EXPECT_EQ(set_file_size(open_file("file", O_RDONLY), 4).error().os_errno, EINVAL);
    EXPECT_EQ(change_owner(BorrowedFd(-1), 0, 0).error().os_errno, EBADF);
    if (geteuid() != 0) GTEST_SKIP() << "changing owners needs root";
    ASSERT_TRUE(change_owner(file, somebody, 65533));
    EXPECT_EQ(info(file)->uid, somebody);
    EXPECT_EQ(info(file)->gid, 65533U);
}

}  // namespace
}  // namespace steward::os
