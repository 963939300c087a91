#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/file.hpp"

namespace steward::os {
namespace {

constexpr uid_t somebody = 65534;

int status_flags(const UniqueFd& fd)
{
    return fcntl(fd.get(), F_GETFL);
}

int error_of(const Result<UniqueFd>& opened)
{
    return opened ? 0 : opened.error().os_errno;
}

// A scratch directory with file, real/file, and the link via → real.
class OpenTrusted : public testing::Test {
  protected:
    OpenTrusted()
    {
        scratch.write("file", "top");
        std::filesystem::create_directory(scratch / "real");
        scratch.write("real/file", "inner");
        link_to("real", "via");
    }

    void link_to(const std::string& target, const std::string& name) const
    {
        ASSERT_EQ(symlink(target.c_str(), (scratch / name).c_str()), 0);
    }
    [[nodiscard]] std::string read(const std::string& name) const
    {
        const auto opened = open_trusted(scratch / name, {.read = true});
        return opened ? read_all(*opened, 100).value_or("unreadable") : "errno " + std::to_string(opened.error().os_errno);
    }
    [[nodiscard]] int error(const std::string& name, const OpenOptions& options = {.read = true}) const
    {
        return error_of(open_trusted(scratch / name, options));
    }

    test::ScratchDirectory scratch;
};

TEST_F(OpenTrusted, opens_plain_files)
{
    EXPECT_EQ(read("file"), "top");
    EXPECT_EQ(read("real/file"), "inner");
    EXPECT_EQ(read("real/../file"), "top");
    EXPECT_TRUE(open_trusted(scratch / "via/..", {.path_only = true}));
    EXPECT_EQ(read("./real//file"), "inner");
}

TEST_F(OpenTrusted, gives_a_descriptor_that_blocks_and_closes_on_exec)
{
    const auto opened = open_trusted(scratch / "file", {.read = true});
    ASSERT_TRUE(opened);
    EXPECT_EQ(status_flags(*opened) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(opened->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(OpenTrusted, follows_a_trusted_link_in_a_trusted_directory)
{
    EXPECT_EQ(read("via/file"), "inner");
    link_to(scratch / "via", "absolute");
    EXPECT_EQ(read("absolute/file"), "inner");
    link_to("../via", "real/up");
    EXPECT_EQ(read("real/up/file"), "inner");
}

TEST_F(OpenTrusted, never_follows_a_link_as_the_last_component)
{
    link_to("file", "link");
    link_to("nowhere", "dangling");
    EXPECT_EQ(error("link"), ELOOP);
    EXPECT_EQ(error("via", {.read = true, .directory = true}), ELOOP);
    EXPECT_EQ(error("via/", {.read = true, .directory = true}), ELOOP);
    EXPECT_EQ(error("link", {.path_only = true}), ELOOP);
    EXPECT_EQ(error("dangling", {.write = true, .create = true}), ELOOP);
    EXPECT_EQ(error("dangling", {.write = true, .create = true, .exclusive = true}), EEXIST);
    EXPECT_FALSE(std::filesystem::exists(scratch / "nowhere"));
}

TEST_F(OpenTrusted, refuses_a_link_of_another_user)
{
    if (geteuid() != 0) GTEST_SKIP() << "lchown needs root";
    ASSERT_EQ(lchown((scratch / "via").c_str(), somebody, somebody), 0);
    EXPECT_EQ(error("via/file"), ELOOP);
}

TEST_F(OpenTrusted, refuses_a_link_in_a_directory_that_others_can_write)
{
    for (const mode_t mode : {0777U, 01777U, 0770U}) {
        ASSERT_EQ(chmod(scratch.path().c_str(), mode), 0);
        EXPECT_EQ(error("via/file"), ELOOP);
        EXPECT_EQ(read("real/file"), "inner");
    }
}

TEST_F(OpenTrusted, refuses_a_link_in_a_directory_of_another_user)
{
    if (geteuid() != 0) GTEST_SKIP() << "chown needs root";
    ASSERT_EQ(chown(scratch.path().c_str(), somebody, somebody), 0);
    EXPECT_EQ(error("via/file"), ELOOP);
}

TEST_F(OpenTrusted, gives_up_on_links_that_lead_in_circles)
{
    link_to("second", "first");
    link_to("first", "second");
    EXPECT_EQ(error("first/file"), ELOOP);
    link_to("grows/x", "grows");
    EXPECT_EQ(error("grows/file"), ELOOP);
}

TEST_F(OpenTrusted, tells_what_is_missing)
{
    EXPECT_EQ(error("none"), ENOENT);
    EXPECT_EQ(error("none/file"), ENOENT);
    EXPECT_EQ(error("via/none"), ENOENT);
    EXPECT_EQ(error("file/below"), ENOTDIR);
    EXPECT_EQ(error("via/file/below/more"), ENOTDIR);
    EXPECT_EQ(error("file", {.read = true, .directory = true}), ENOTDIR);
    EXPECT_EQ(error_of(open_trusted("", {.read = true})), ENOENT);
    EXPECT_EQ(open_trusted("/nowhere/x", {.read = true}).error().message(), "cannot open '/nowhere/x': No such file or directory");
}

TEST_F(OpenTrusted, opens_the_root_and_relative_paths)
{
    EXPECT_TRUE(open_trusted("/", {.read = true, .directory = true}));
    EXPECT_TRUE(open_trusted("/proc/self/..", {.path_only = true})) << "/proc/self is the kernel's own link";
    EXPECT_EQ(test::in_child([&] {
                  if (chdir(scratch.path().c_str()) != 0) return 2;
                  return open_trusted("file", {.read = true}) && open_trusted("via/file", {.read = true}) ? 0 : 1;
              }),
              0);
}

TEST_F(OpenTrusted, creates_truncates_and_appends_as_asked)
{
    const auto create = [&](const OpenOptions& options) { return open_trusted(scratch / "via/new", options); };
    {
        const auto made = create({.write = true, .create = true, .exclusive = true, .mode = 0600});
        ASSERT_TRUE(made);
        ASSERT_TRUE(write_all(*made, "12345"));
        EXPECT_EQ(info(*made)->mode, 0600U);
    }
    EXPECT_EQ(error_of(create({.write = true, .create = true, .exclusive = true})), EEXIST);
    {
        const auto appending = create({.append = true, .create = true});
        ASSERT_TRUE(appending);
        EXPECT_NE(status_flags(*appending) & O_APPEND, 0);
        EXPECT_EQ(status_flags(*appending) & O_NONBLOCK, 0);
        ASSERT_TRUE(write_all(*appending, "6"));
    }
    EXPECT_EQ(read("real/new"), "123456");
    ASSERT_TRUE(create({.write = true, .truncate = true}));
    EXPECT_EQ(read("real/new"), "");
}

TEST_F(OpenTrusted, never_waits_for_the_other_end_of_a_fifo)
{
    ASSERT_EQ(mkfifo((scratch / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(error("fifo", {.write = true}), ENXIO);
    const auto opened = open_trusted(scratch / "fifo", {.read = true});
    ASSERT_TRUE(opened);
    EXPECT_EQ(info(*opened)->kind, FileInfo::Kind::fifo);
}

TEST_F(OpenTrusted, opens_by_path_only)
{
    const auto opened = open_trusted(scratch / "via/file", {.path_only = true});
    ASSERT_TRUE(opened);
    EXPECT_NE(status_flags(*opened) & O_PATH, 0);
    EXPECT_TRUE(open_trusted(scratch / "real", {.directory = true, .path_only = true}));
}

TEST_F(OpenTrusted, tells_a_denial_as_not_permitted)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs a second user";
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    ASSERT_EQ(chmod((scratch / "file").c_str(), 0600), 0);
    EXPECT_EQ(test::in_child([&] {
                  if (setresuid(somebody, somebody, somebody) != 0) return 2;
                  const auto opened = open_trusted(scratch / "file", {.read = true});
                  return !opened && opened.error().code == ErrorCode::not_permitted ? 0 : 1;
              }),
              0);
}

TEST_F(OpenTrusted, follows_roots_links_for_other_users_and_not_the_reverse)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs a second user";
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    ASSERT_EQ(chmod((scratch / "real/file").c_str(), 0644), 0);
    const auto as_somebody = [&] {
        return test::in_child([&] {
            if (setresuid(somebody, somebody, somebody) != 0) return 2;
            return error_of(open_trusted(scratch / "via/file", {.read = true}));
        });
    };
    EXPECT_EQ(as_somebody(), 0);
    ASSERT_EQ(lchown((scratch / "via").c_str(), somebody, somebody), 0);
    EXPECT_EQ(as_somebody(), 0) << "one's own link";
    ASSERT_EQ(lchown((scratch / "via").c_str(), 1234, 1234), 0);
    EXPECT_EQ(as_somebody(), ELOOP);
}

TEST_F(OpenTrusted, leaks_no_descriptor_when_it_fails)
{
    EXPECT_EQ(test::in_child([&] {
                  const int before = dup(0);
                  close(before);
                  static_cast<void>(error("via/none"));
                  static_cast<void>(error("via"));
                  static_cast<void>(error("via", {.path_only = true}));
                  return dup(0) == before ? 0 : 1;
              }),
              0);
}

class OpenAt : public OpenTrusted {
  protected:
    UniqueFd directory{open(scratch.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
};

TEST_F(OpenAt, opens_a_name_in_a_held_directory)
{
    EXPECT_EQ(read_all(open_at(directory, "file", {.read = true}).value(), 10).value(), "top");
    EXPECT_TRUE(open_at(directory, ".", {.read = true, .directory = true}));
    EXPECT_TRUE(open_at(directory, "made", {.write = true, .create = true}));
    EXPECT_EQ(error_of(open_at(directory, "none", {.read = true})), ENOENT);
}

TEST_F(OpenAt, refuses_links_and_paths)
{
    EXPECT_EQ(error_of(open_at(directory, "via", {.read = true})), ELOOP);
    EXPECT_EQ(error_of(open_at(directory, "via", {.read = true, .directory = true})), ELOOP);
    for (const char* name : {"", "..", "real/file", "/etc/passwd"}) {
        EXPECT_EQ(open_at(directory, name, {.read = true}).error().code, ErrorCode::invalid_argument) << name;
    }
}

TEST_F(OpenTrusted, leaves_following_to_open_following)
{
    link_to("file", "link");
    const auto opened = open_following(scratch / "link", {.read = true});
    ASSERT_TRUE(opened);
    EXPECT_EQ(read_all(*opened, 10).value(), "top");
    EXPECT_EQ(status_flags(*opened) & O_NONBLOCK, 0);
    EXPECT_EQ(error_of(open_following(scratch / "none", {.read = true})), ENOENT);
}

}  // namespace
}  // namespace steward::os
