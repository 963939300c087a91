// What may stand where a PID file is looked for, and where: each case that another tool fell for.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "record/pid_file.hpp"

namespace steward::record {
namespace {

using Verdict = PidFileReading::Verdict;

constexpr uid_t somebody = 65534;

// web.pid in a directory of its own, which stands in a scratch directory.
class PidFileObject : public testing::Test {
  protected:
    PidFileObject()
    {
        std::filesystem::create_directory(directory);
        std::filesystem::permissions(directory, std::filesystem::perms(0755));
    }

    void put(const std::string& content) const { scratch.write("run/web.pid", content); }
    [[nodiscard]] PidFileReading read() const { return read_pid_file(path, 0); }
    void expect_refused(const std::string& why) const
    {
        const PidFileReading reading = read();
        EXPECT_EQ(reading.verdict, Verdict::refused);
        EXPECT_EQ(reading.pid, 0);
        EXPECT_NE(reading.reason.find(why), std::string::npos) << reading.reason;

        // Nor is it written over, or removed.
        const auto written = write_pid_file(path, 4121, 0);
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error().code, ErrorCode::untrusted_pid_file);
        EXPECT_NE(written.error().message().find(why), std::string::npos) << written.error().message();
        const auto checked = check_pid_file_place(path, 0);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().message(), written.error().message());
        const auto before = std::filesystem::symlink_status(path).type();
        EXPECT_TRUE(remove_pid_file(path, 0, 0));
        EXPECT_TRUE(remove_pid_file(path, 4121, 0));
        EXPECT_EQ(std::filesystem::symlink_status(path).type(), before);
    }

    test::ScratchDirectory scratch;
    std::string directory = scratch / "run";
    std::string path = directory + "/web.pid";
};

TEST_F(PidFileObject, plain_file_of_root_is_read)
{
    put("4121\n");
    const PidFileReading reading = read();
    EXPECT_EQ(reading.verdict, Verdict::pid) << reading.reason;
    EXPECT_EQ(reading.pid, 4121);
    EXPECT_EQ(reading.reason, "");
}

TEST_F(PidFileObject, missing_file_or_directory_is_missing)
{
    EXPECT_EQ(read().verdict, Verdict::missing);
    EXPECT_EQ(read_pid_file(directory + "/none/web.pid", 0).verdict, Verdict::missing);
    put("4121\n");
    EXPECT_EQ(read_pid_file(path + "/web.pid", 0).verdict, Verdict::missing);
}

TEST_F(PidFileObject, symbolic_link_is_refused_whoever_made_it)
{
    scratch.write("run/real.pid", "4121\n");
    ASSERT_EQ(symlink("real.pid", path.c_str()), 0);
    expect_refused("is a symbolic link");
    EXPECT_EQ(test::content_of(directory + "/real.pid"), "4121\n");
    ASSERT_EQ(lchown(path.c_str(), somebody, somebody), 0);
    expect_refused("is a symbolic link");
}

TEST_F(PidFileObject, dangling_symbolic_link_is_refused)
{
    ASSERT_EQ(symlink("/nowhere/at/all", path.c_str()), 0);
    expect_refused("is a symbolic link");
}

TEST_F(PidFileObject, parent_that_is_another_users_link_is_refused)
{
    std::filesystem::create_directory(scratch / "real");
    scratch.write("real/web.pid", "4121\n");
    path = scratch / "link/web.pid";
    ASSERT_EQ(symlink("real", (scratch / "link").c_str()), 0);
    EXPECT_EQ(read().verdict, Verdict::pid) << read().reason;  // root's own, as /var/run is
    ASSERT_EQ(lchown((scratch / "link").c_str(), somebody, somebody), 0);
    expect_refused("a symbolic link that another user could change");
}

TEST_F(PidFileObject, fifo_is_refused_without_hanging)
{
    ASSERT_EQ(mkfifo(path.c_str(), 0644), 0);
    expect_refused("is a FIFO");
}

TEST_F(PidFileObject, directory_is_refused)
{
    std::filesystem::create_directory(path);
    expect_refused("is a directory");
}

TEST_F(PidFileObject, device_is_refused_unopened)
{
    if (mknod(path.c_str(), S_IFCHR | 0644, makedev(1, 3)) != 0) {
        // No CAP_MKNOD: the host's own, which is only looked at.
        EXPECT_EQ(read_pid_file("/dev/null", 0).verdict, Verdict::refused);
        return;
    }
    expect_refused("is a device");
}

TEST_F(PidFileObject, socket_is_refused)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    expect_refused("is a socket");
    close(fd);
}

TEST_F(PidFileObject, file_that_others_can_write_is_refused)
{
    put("4121\n");
    ASSERT_EQ(chmod(path.c_str(), 0646), 0);
    expect_refused("can be written by other users");
    ASSERT_EQ(chmod(path.c_str(), 0664), 0);
    expect_refused("can be written by other users");
}

TEST_F(PidFileObject, file_of_another_user_is_refused)
{
    put("4121\n");
    ASSERT_EQ(chown(path.c_str(), somebody, somebody), 0);
    expect_refused("belongs to user 65534");
}

TEST_F(PidFileObject, file_of_the_named_owner_is_read)
{
    put("4121\n");
    ASSERT_EQ(chown(path.c_str(), somebody, somebody), 0);
    EXPECT_EQ(read_pid_file(path, somebody).verdict, Verdict::pid);
}

TEST_F(PidFileObject, directory_that_everybody_can_write_is_refused_sticky_or_not)
{
    put("4121\n");
    ASSERT_EQ(chmod(directory.c_str(), 0777), 0);
    expect_refused("can be written by every user");
    ASSERT_EQ(chmod(directory.c_str(), 01777), 0);
    expect_refused("can be written by every user");
}

TEST_F(PidFileObject, directory_that_a_group_can_write_is_refused)
{
    put("4121\n");
    ASSERT_EQ(chmod(directory.c_str(), 0775), 0);
    expect_refused("can be written by group");
}

TEST_F(PidFileObject, directory_of_another_user_is_refused)
{
    put("4121\n");
    ASSERT_EQ(chown(directory.c_str(), somebody, somebody), 0);
    expect_refused("belongs to user");
}

TEST_F(PidFileObject, directory_further_up_that_another_user_could_replace_is_refused)
{
    put("4121\n");
    ASSERT_EQ(chmod(scratch.path().c_str(), 0777), 0);
    expect_refused("can be written by every user");
    ASSERT_EQ(chmod(scratch.path().c_str(), 01777), 0);  // sticky: what root owns in it stays where it is
    EXPECT_EQ(read().verdict, Verdict::pid);
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    ASSERT_EQ(chown(scratch.path().c_str(), somebody, somebody), 0);
    expect_refused("belongs to user");
    EXPECT_EQ(read_pid_file(path, somebody).verdict, Verdict::pid);
}

TEST_F(PidFileObject, file_straight_below_tmp_is_refused)
{
    const test::ScratchDirectory unused;  // its name is free once it is gone
    EXPECT_EQ(read_pid_file(unused.path() + ".pid", 0).verdict, Verdict::refused);
}

TEST_F(PidFileObject, unreadable_file_cannot_be_told)
{
    put("4121\n");
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    const int verdict = test::in_child([this] {
        if (setgid(somebody) != 0 || setuid(somebody) != 0) return 99;
        const PidFileReading reading = read_pid_file(path, somebody);
        if (reading.reason != "Permission denied") return 98;
        const auto removed = remove_pid_file(path, 4121, somebody);
        if (removed || removed.error().code != ErrorCode::not_permitted) return 97;
        return static_cast<int>(reading.verdict);
    });
    EXPECT_EQ(verdict, static_cast<int>(Verdict::unreadable));
}

TEST_F(PidFileObject, file_in_a_closed_directory_cannot_be_told)
{
    put("4121\n");
    ASSERT_EQ(chmod(directory.c_str(), 0700), 0);
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    const int verdict = test::in_child([this] {
        if (setgid(somebody) != 0 || setuid(somebody) != 0) return 99;
        const auto written = write_pid_file(path, 4121, somebody);
        if (written || written.error().code != ErrorCode::not_permitted) return 98;
        return static_cast<int>(read_pid_file(path, somebody).verdict);
    });
    EXPECT_EQ(verdict, static_cast<int>(Verdict::unreadable));
}

TEST_F(PidFileObject, empty_file_is_read_again_for_fifty_milliseconds)
{
    put("");
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(read().verdict, Verdict::empty);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(50));
}

TEST_F(PidFileObject, pid_that_comes_while_an_empty_file_is_watched_is_taken)
{
    put(" \n");
    const int events = inotify_init1(IN_CLOEXEC);
    ASSERT_GE(inotify_add_watch(events, path.c_str(), IN_CLOSE_NOWRITE), 0);
    std::thread writer([this, events] {
        alignas(inotify_event) std::array<char, 1024> event{};
        EXPECT_GT(::read(events, event.data(), event.size()), 0);  // the reader has come, and found nothing
        put("4121\n");
    });
    const PidFileReading reading = read();
    writer.join();
    close(events);
    EXPECT_EQ(reading.pid, 4121);
}

}  // namespace
}  // namespace steward::record
