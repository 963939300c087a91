// Where a log may be opened, and as whose: the places through which a daemon's user once became root.
#include "log/log_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"

namespace steward::log {
namespace {

using testing::HasSubstr;

constexpr uid_t somebody = 65534;

struct stat status_of(const std::string& path)
{
    struct stat found {};
    EXPECT_EQ(lstat(path.c_str(), &found), 0) << path;
    return found;
}

class LogFile : public testing::Test {
  protected:
    [[nodiscard]] Result<os::UniqueFd> open() const { return open_log({.path = path, .system_scope = true}); }
    void expect_refused(const std::string& why) const
    {
        const auto file = open();
        ASSERT_FALSE(file);
        EXPECT_THAT(file.error().message(), HasSubstr("cannot open log file '" + path + "': "));
        EXPECT_THAT(file.error().message(), HasSubstr(why));
    }
    void write(std::string_view text) const
    {
        const auto file = open();
        ASSERT_TRUE(file) << file.error().message();
        ASSERT_TRUE(os::write_all(*file, text));
    }

    test::ScratchDirectory scratch;
    std::string directory = scratch / "log";
    std::string path = directory + "/web.log";
};

TEST_F(LogFile, is_made_with_its_directory)
{
    const mode_t before = umask(077);
    write("one\n");
    umask(before);
    EXPECT_EQ(test::content_of(path), "one\n");
    EXPECT_EQ(status_of(directory).st_mode & 07777U, 0755U);
    EXPECT_EQ(status_of(path).st_mode & 07777U, 0640U);
    EXPECT_EQ(status_of(path).st_uid, geteuid());
    const group* adm = getgrnam("adm");
    EXPECT_EQ(status_of(path).st_gid, adm != nullptr ? adm->gr_gid : getegid());
}

TEST_F(LogFile, of_a_users_scope_is_not_given_to_adm)
{
    ASSERT_TRUE(open_log({.path = path, .system_scope = false}));
    EXPECT_EQ(status_of(path).st_gid, getegid());
    EXPECT_EQ(status_of(path).st_mode & 07777U, 0640U);
}

TEST_F(LogFile, is_appended_to_and_closed_on_exec)
{
    write("one\n");
    write("two\n");
    EXPECT_EQ(test::content_of(path), "one\ntwo\n");
    const auto file = open();
    EXPECT_EQ(fcntl(file->get(), F_GETFD), FD_CLOEXEC);
    // What a program inherits: it cannot read the log, and O_NONBLOCK would surprise it.
    EXPECT_EQ(fcntl(file->get(), F_GETFL) & (O_APPEND | O_ACCMODE | O_NONBLOCK), O_APPEND | O_WRONLY);
}

TEST_F(LogFile, keeps_the_mode_and_group_that_the_administrator_gave_it)
{
    write("one\n");
    ASSERT_EQ(chown(path.c_str(), 0, 7), 0);
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    write("two\n");
    EXPECT_EQ(status_of(path).st_mode & 07777U, 0600U);
    EXPECT_EQ(status_of(path).st_gid, 7U);
}

TEST_F(LogFile, that_is_a_link_is_refused)
{
    write("one\n");
    std::filesystem::rename(path, scratch / "target");
    ASSERT_EQ(symlink((scratch / "target").c_str(), path.c_str()), 0);
    expect_refused("it is a symbolic link");
    EXPECT_EQ(test::content_of(scratch / "target"), "one\n");
}

TEST_F(LogFile, that_is_a_dangling_link_makes_nothing)
{
    std::filesystem::create_directory(directory);
    ASSERT_EQ(symlink((scratch / "target").c_str(), path.c_str()), 0);
    expect_refused("it is a symbolic link");
    EXPECT_FALSE(std::filesystem::exists(scratch / "target"));
}

TEST_F(LogFile, that_is_no_regular_file_is_refused_without_hanging)
{
    std::filesystem::create_directory(directory);
    ASSERT_EQ(mkfifo(path.c_str(), 0644), 0);
    expect_refused("it is not a regular file");
    ASSERT_EQ(unlink(path.c_str()), 0);
    std::filesystem::create_directory(path);
    expect_refused("it is not a regular file");
}

TEST_F(LogFile, of_another_user_is_refused)
{
    write("one\n");
    ASSERT_EQ(chown(path.c_str(), somebody, somebody), 0);
    expect_refused("it belongs to user 65534");
}

TEST_F(LogFile, that_is_a_second_name_of_another_file_is_refused)
{
    scratch.write("shadow", "secret\n");
    std::filesystem::create_directory(directory);
    ASSERT_EQ(link((scratch / "shadow").c_str(), path.c_str()), 0);
    expect_refused("it has a second name (hard link)");
    EXPECT_EQ(test::content_of(scratch / "shadow"), "secret\n");
}

TEST_F(LogFile, in_the_directory_of_the_daemons_user_is_refused_to_root)
{
    std::filesystem::create_directory(directory);
    ASSERT_EQ(chown(directory.c_str(), somebody, somebody), 0);
    expect_refused("its directory '" + directory + "' belongs to user");
    EXPECT_THAT(open().error().message(), HasSubstr("(try: "));
    EXPECT_TRUE(std::filesystem::is_empty(directory));
}

TEST_F(LogFile, in_a_directory_that_everybody_can_write_is_refused_to_root)
{
    std::filesystem::create_directory(directory);
    ASSERT_EQ(chmod(directory.c_str(), 01777), 0);
    expect_refused("its directory '" + directory + "' can be written by every user");
}

TEST_F(LogFile, in_a_directory_that_the_daemons_group_can_write_is_refused_to_root)
{
    std::filesystem::create_directory(directory);
    ASSERT_EQ(chown(directory.c_str(), 0, somebody), 0);
    ASSERT_EQ(chmod(directory.c_str(), 0775), 0);
    expect_refused("its directory '" + directory + "' can be written by group 65534");
}

// Ubuntu's /var/log is root:syslog 0775.
TEST_F(LogFile, in_a_directory_that_the_group_of_logs_can_write_is_opened)
{
    const group* adm = getgrnam("adm");
    std::filesystem::create_directory(directory);
    ASSERT_EQ(chown(directory.c_str(), 0, adm != nullptr ? adm->gr_gid : 0), 0);
    ASSERT_EQ(chmod(directory.c_str(), 0775), 0);
    EXPECT_TRUE(open());
}

TEST_F(LogFile, below_another_users_directory_is_refused_to_root)
{
    std::filesystem::create_directory(directory);
    ASSERT_EQ(chown(scratch.path().c_str(), somebody, somebody), 0);
    expect_refused("the directory above it '" + scratch.path() + "' belongs to user");
}

TEST_F(LogFile, behind_another_users_link_is_refused)
{
    std::filesystem::create_directory(scratch / "real");
    ASSERT_EQ(symlink("real", directory.c_str()), 0);
    ASSERT_EQ(lchown(directory.c_str(), somebody, somebody), 0);
    expect_refused("a symbolic link that another user could change");
    ASSERT_EQ(lchown(directory.c_str(), 0, 0), 0);
    EXPECT_TRUE(open());  // root's own: a /var/log on another disk
}

TEST_F(LogFile, is_opened_by_a_user_in_a_place_of_his)
{
    ASSERT_EQ(chown(scratch.path().c_str(), somebody, somebody), 0);
    const int outcome = test::in_child([this] {
        if (setgid(somebody) != 0 || setuid(somebody) != 0) return 99;
        const auto first = open_log({.path = path, .system_scope = false});
        const auto second = open_log({.path = path, .system_scope = false});
        return first && second && os::write_all(*second, "one\n") ? 0 : 1;
    });
    EXPECT_EQ(outcome, 0);
    EXPECT_EQ(status_of(path).st_uid, somebody);
}

TEST_F(LogFile, without_permission_says_so)
{
    std::filesystem::create_directory(directory);
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    const int outcome = test::in_child([this] {
        if (setgid(somebody) != 0 || setuid(somebody) != 0) return 99;
        const auto file = open_log({.path = path, .system_scope = true});
        return !file && file.error().code == ErrorCode::not_permitted ? 0 : 1;
    });
    EXPECT_EQ(outcome, 0);
}

TEST_F(LogFile, below_a_file_says_so)
{
    scratch.write("log", "");
    expect_refused("Not a directory");
}

}  // namespace
}  // namespace steward::log
