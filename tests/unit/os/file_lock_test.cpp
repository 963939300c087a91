#include "os/file_lock.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/file.hpp"

namespace steward::os {
namespace {

using namespace std::chrono_literals;

class FileLock : public testing::Test {
  protected:
    FileLock() { scratch.write("lock", ""); }
    [[nodiscard]] UniqueFd open_lock(int flags = O_RDWR) const { return UniqueFd(open((scratch / "lock").c_str(), flags | O_CLOEXEC)); }
    // Whether somebody waits in the kernel for a lock on the file, as /proc/locks tells ("1: -> OFDLCK …").
    [[nodiscard]] bool has_waiter() const
    {
        const std::string inode = ":" + std::to_string(info_at(scratch / "lock")->value().inode) + " ";
        std::ifstream locks("/proc/locks");
        for (std::string line; std::getline(locks, line);) {
            if (line.find("->") != std::string::npos && line.find(inode) != std::string::npos) return true;
        }
        return false;
    }

    test::ScratchDirectory scratch;
};

TEST_F(FileLock, is_one_holders_alone)
{
    const UniqueFd first = open_lock();
    const UniqueFd second = open_lock();
    EXPECT_TRUE(try_lock(first, 0).value());
    EXPECT_TRUE(try_lock(first, 0).value()) << "taking again what one has is harmless";
    EXPECT_FALSE(try_lock(second, 0).value());
    ASSERT_TRUE(unlock(first, 0));
    EXPECT_TRUE(try_lock(second, 0).value());
}

TEST_F(FileLock, is_of_one_byte)
{
    const UniqueFd first = open_lock();
    const UniqueFd second = open_lock();
    EXPECT_TRUE(try_lock(first, 0).value());
    EXPECT_TRUE(try_lock(second, 1).value());
    EXPECT_FALSE(try_lock(first, 1).value());
}

TEST_F(FileLock, is_seen_by_readers_but_not_by_its_holder)
{
    const UniqueFd holder = open_lock();
    const UniqueFd reader = open_lock(O_RDONLY);
    EXPECT_FALSE(is_locked(reader, 0).value());
    ASSERT_TRUE(try_lock(holder, 0).value());
    EXPECT_TRUE(is_locked(reader, 0).value());
    EXPECT_FALSE(is_locked(reader, 1).value());
    EXPECT_FALSE(is_locked(holder, 0).value());
}

TEST_F(FileLock, outlives_its_taker_in_a_childs_copy)
{
    auto gate = make_pipe();
    ASSERT_TRUE(gate);
    UniqueFd holder = open_lock();
    ASSERT_TRUE(try_lock(holder, 0).value());
    const pid_t child = fork();
    if (child == 0) {
        gate->write.reset();
        static_cast<void>(read_all(gate->read, 1));
        _exit(0);
    }
    holder.reset();
    const UniqueFd other = open_lock();
    EXPECT_TRUE(is_locked(other, 0).value());
    gate->write.reset();
    waitpid(child, nullptr, 0);
    EXPECT_FALSE(is_locked(other, 0).value());
}

TEST_F(FileLock, is_dropped_when_its_holder_is_killed)
{
    auto ready = make_pipe();
    ASSERT_TRUE(ready);
    const pid_t child = fork();
    if (child == 0) {
        const UniqueFd holder = open_lock();
        static_cast<void>(try_lock(holder, 0));
        ready->write.reset();
        pause();
        _exit(0);
    }
    ready->write.reset();
    static_cast<void>(read_all(ready->read, 1));
    const UniqueFd other = open_lock();
    EXPECT_FALSE(try_lock(other, 0).value());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_TRUE(try_lock(other, 0).value());
}

TEST_F(FileLock, is_waited_for_until_it_is_free)
{
    for (const auto timeout : {std::optional<std::chrono::milliseconds>(), std::optional<std::chrono::milliseconds>(60s)}) {
        auto ready = make_pipe();
        ASSERT_TRUE(ready);
        const pid_t child = fork();
        if (child == 0) {
            const UniqueFd holder = open_lock();
            static_cast<void>(try_lock(holder, 0));
            ready->write.reset();
            while (!has_waiter()) usleep(500);
            _exit(0);
        }
        ready->write.reset();
        static_cast<void>(read_all(ready->read, 1));
        const UniqueFd waiter = open_lock();
        const auto locked = lock(waiter, 0, timeout);
        EXPECT_TRUE(locked) << locked.error().message();
        EXPECT_TRUE(is_locked(open_lock(), 0).value());
        waitpid(child, nullptr, 0);
        EXPECT_EQ(waitpid(-1, nullptr, 0), -1) << "a process is left over";
    }
}

TEST_F(FileLock, is_given_up_at_the_deadline)
{
    const UniqueFd holder = open_lock();
    const UniqueFd waiter = open_lock();
    ASSERT_TRUE(try_lock(holder, 0).value());
    const auto begin = std::chrono::steady_clock::now();
    const auto locked = lock(waiter, 0, 30ms);
    ASSERT_FALSE(locked);
    EXPECT_EQ(locked.error().code, ErrorCode::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 30ms);
    EXPECT_FALSE(lock(waiter, 0, 0ms)) << "no time at all is one attempt";
    ASSERT_TRUE(unlock(holder, 0));
    EXPECT_FALSE(is_locked(holder, 0).value()) << "who gave up must not get it later";
    EXPECT_FALSE(has_waiter());
    EXPECT_EQ(waitpid(-1, nullptr, 0), -1) << "a process is left over";
}

TEST_F(FileLock, is_no_longer_waited_for_when_the_waiter_is_killed)
{
    const UniqueFd holder = open_lock();
    ASSERT_TRUE(try_lock(holder, 0).value());
    const pid_t child = fork();
    if (child == 0) _exit(lock(open_lock(), 0, 60s) ? 0 : 1);
    while (!has_waiter()) usleep(500);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (has_waiter()) usleep(500);
}

TEST_F(FileLock, tells_a_descriptor_that_cannot_lock)
{
    const UniqueFd reader = open_lock(O_RDONLY);
    EXPECT_EQ(try_lock(reader, 0).error().os_errno, EBADF);
    EXPECT_EQ(lock(reader, 0).error().os_errno, EBADF);
    EXPECT_EQ(lock(reader, 0, 10ms).error().os_errno, EBADF);
    EXPECT_EQ(unlock(BorrowedFd(-1), 0).error().os_errno, EBADF);
    EXPECT_EQ(is_locked(BorrowedFd(-1), 0).error().os_errno, EBADF);
}

}  // namespace
}  // namespace steward::os
