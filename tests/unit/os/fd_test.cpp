#include "os/fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"

namespace steward::os {
namespace {

bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

bool closes_on_exec(BorrowedFd fd)
{
    return (fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0;
}

TEST(UniqueFd, closes_at_the_end_of_its_life)
{
    int number = -1;
    {
        const auto pipe = make_pipe();
        ASSERT_TRUE(pipe);
        number = pipe->read.get();
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, moves_its_descriptor_and_closes_the_one_it_had)
{
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    const int read = pipe->read.get();
    const int write = pipe->write.get();
    pipe->read = std::move(pipe->write);
    EXPECT_FALSE(is_open(read));
    EXPECT_EQ(pipe->read.get(), write);
    EXPECT_FALSE(pipe->write);
    UniqueFd& self = pipe->read;
    pipe->read = std::move(self);
    EXPECT_TRUE(is_open(write));
}

TEST(UniqueFd, releases_without_closing)
{
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    const int number = pipe->read.release();
    EXPECT_FALSE(pipe->read);
    EXPECT_TRUE(is_open(number));
    close(number);
}

TEST(MakePipe, gives_ends_that_no_program_inherits)
{
    const auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    EXPECT_TRUE(closes_on_exec(pipe->read));
    EXPECT_TRUE(closes_on_exec(pipe->write));
}

TEST(MakePipe, tells_when_there_are_no_descriptors_left)
{
    EXPECT_EQ(test::in_child([] {
                  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
                  setrlimit(RLIMIT_NOFILE, &none);
                  const auto pipe = make_pipe();
                  const auto pair = make_message_pair();
                  const auto copy = duplicate(BorrowedFd(0));
                  return !pipe && pipe.error().os_errno == EMFILE && !pair && pair.error().os_errno == EMFILE && !copy ? 0 : 1;
              }),
              0);
}

TEST(MakeMessagePair, keeps_messages_apart)
{
    const auto pair = make_message_pair();
    ASSERT_TRUE(pair);
    EXPECT_TRUE(closes_on_exec(pair->read));
    ASSERT_TRUE(write_all(pair->write, "one"));
    ASSERT_TRUE(write_all(pair->write, "three"));
    std::vector<std::byte> buffer(64);
    EXPECT_EQ(read_some(pair->read, buffer).value(), 3U);
    EXPECT_EQ(read_some(pair->read, buffer).value(), 5U);
}

TEST(Duplicate, gives_another_descriptor_of_the_same_file)
{
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    auto copy = duplicate(pipe->write);
    ASSERT_TRUE(copy);
    EXPECT_NE(copy->get(), pipe->write.get());
    EXPECT_TRUE(closes_on_exec(*copy));
    ASSERT_TRUE(write_all(*copy, "x"));
    pipe->write.reset();
    copy->reset();
    EXPECT_EQ(read_all(pipe->read, 10).value(), "x");
    EXPECT_EQ(duplicate(BorrowedFd(-1)).error().os_errno, EBADF);
}

TEST(ReadAll, reads_up_to_the_limit_and_refuses_more)
{
    const std::string megabyte(1 << 20, 'x');
    const test::ScratchDirectory scratch;
    const auto open_it = [&] { return UniqueFd(open(scratch.write("file", megabyte).c_str(), O_RDONLY | O_CLOEXEC)); };
    EXPECT_EQ(read_all(open_it(), megabyte.size()).value(), megabyte);
    EXPECT_EQ(read_all(open_it(), megabyte.size() + 1).value(), megabyte);
    const auto refused = read_all(open_it(), megabyte.size() - 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().os_errno, EFBIG);
    EXPECT_EQ(refused.error().cause, "longer than 1048575 bytes");
}

TEST(ReadAll, of_nothing_is_empty_even_without_room)
{
    const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(read_all(null, 0).value(), "");
}

TEST(ReadAll, tells_a_bad_descriptor)
{
    const auto refused = read_all(BorrowedFd(-1), 10);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(), "cannot read descriptor -1: Bad file descriptor");
}

TEST(ReadSome, goes_on_after_a_signal)
{
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    auto caught = make_pipe();
    ASSERT_TRUE(caught);
    static int told = -1;
    told = caught->write.get();
    const pid_t reader = fork();
    if (reader == 0) {
        struct sigaction action {};
        action.sa_handler = [](int) {
            if (write(told, "x", 1) != 1) _exit(9);
        };
        sigaction(SIGALRM, &action, nullptr);  // without SA_RESTART
        raise(SIGALRM);                        // ready
        std::byte byte{};
        _exit(read_some(pipe->read, std::span(&byte, 1)).value_or(99) == 1 ? 0 : 1);
    }
    std::byte byte{};
    ASSERT_TRUE(read_some(caught->read, std::span(&byte, 1)));
    for (int i = 0; i < 3; ++i) {
        kill(reader, SIGALRM);
        ASSERT_TRUE(read_some(caught->read, std::span(&byte, 1)));
    }
    ASSERT_TRUE(write_all(pipe->write, "x"));
    int status = -1;
    waitpid(reader, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(WriteAll, writes_more_than_a_pipe_holds)
{
    const std::string much(300'000, 'x');
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    const pid_t writer = fork();
    if (writer == 0) _exit(write_all(pipe->write, much) ? 0 : 1);
    pipe->write.reset();
    EXPECT_EQ(read_all(pipe->read, much.size()).value(), much);
    int status = -1;
    waitpid(writer, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(WriteAll, tells_that_nobody_reads)
{
    EXPECT_EQ(test::in_child([] {
                  signal(SIGPIPE, SIG_IGN);
                  auto pipe = make_pipe();
                  pipe->read.reset();
                  const auto written = write_all(pipe->write, "x");
                  return !written && written.error().os_errno == EPIPE ? 0 : 1;
              }),
              0);
}

// Opens descriptors at awkward places, closes all but `keep`, and returns 0 when exactly those (and 0 to 2) are left.
int close_and_look(const std::vector<int>& keep)
{
    constexpr int last = 900;
    const rlimit room{.rlim_cur = 1024, .rlim_max = 1024};
    setrlimit(RLIMIT_NOFILE, &room);
    for (const int fd : {3, 4, 5, 64, 255, 256, 700, last}) dup2(0, fd);
    const rlimit less{.rlim_cur = 100, .rlim_max = 1024};  // those above stay open all the same
    setrlimit(RLIMIT_NOFILE, &less);
    close_all_except(keep);
    for (int fd = 0; fd <= last; ++fd) {
        const bool wanted = fd < 3 || std::find(keep.begin(), keep.end(), fd) != keep.end();
        if (is_open(fd) != wanted) return 1;
    }
    return 0;
}

TEST(CloseAllExcept, closes_exactly_the_others)
{
    EXPECT_EQ(test::in_child([] { return close_and_look({}); }), 0);
    EXPECT_EQ(test::in_child([] { return close_and_look({3}); }), 0);
    EXPECT_EQ(test::in_child([] { return close_and_look({4, 5, 255, 900}); }), 0);
    EXPECT_EQ(test::in_child([] { return close_and_look({0, 1, 2, 64, 700}); }), 0);
}

TEST(CloseAllExcept, works_without_proc)
{
    if (geteuid() != 0) GTEST_SKIP() << "chroot needs root";
    const test::ScratchDirectory empty;
    EXPECT_EQ(test::in_child([&] { return chroot(empty.path().c_str()) == 0 ? close_and_look({4, 255}) : 2; }), 0);
}

TEST(CloseAllExcept, is_not_led_astray_by_a_false_proc)
{
    if (geteuid() != 0) GTEST_SKIP() << "chroot needs root";
    const test::ScratchDirectory root;
    std::filesystem::create_directories(root / "proc/self/fd/7");
    EXPECT_EQ(test::in_child([&] { return chroot(root.path().c_str()) == 0 ? close_and_look({5}) : 2; }), 0);
}

TEST(Mailbox, keeps_what_a_writer_said_that_has_gone)
{
    const auto mailbox = make_mailbox();
    ASSERT_TRUE(mailbox);
    {
        const auto writer = open_mailbox(*mailbox);
        ASSERT_TRUE(writer);
        ASSERT_TRUE(write_all(*writer, "here\n"));
    }
    std::array<std::byte, 16> bytes{};
    EXPECT_EQ(read_some(*mailbox, bytes).value(), 5U);
    const auto empty = read_some(*mailbox, bytes);  // and not the end of file
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().os_errno, EAGAIN);
}

TEST(Mailbox, does_not_end_a_writer_whose_reader_has_gone)
{
    auto mailbox = make_mailbox();
    ASSERT_TRUE(mailbox);
    const auto writer = open_mailbox(*mailbox);
    ASSERT_TRUE(writer);
    mailbox->reset();
    EXPECT_TRUE(write_all(*writer, "\n"));  // no SIGPIPE
}

TEST(CanWriteNow, tells_a_full_pipe_from_one_with_room_and_one_without_reader)
{
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    EXPECT_TRUE(can_write_now(pipe->write));
    ASSERT_EQ(fcntl(pipe->write.get(), F_SETFL, O_NONBLOCK), 0);
    const std::string page(4096, 'x');
    while (write(pipe->write.get(), page.data(), page.size()) > 0) {
    }
    EXPECT_FALSE(can_write_now(pipe->write));
    EXPECT_FALSE(can_write_now(BorrowedFd()));
}

}  // namespace
}  // namespace steward::os
