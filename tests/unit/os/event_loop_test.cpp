#include "os/event_loop.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "helpers/in_child.hpp"
#include "os/signals.hpp"
#include "test_child.hpp"

namespace steward::os {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

class EventLoopTest : public testing::Test {
  protected:
    EventLoopTest()
    {
        auto created = EventLoop::create();
        if (!created) throw std::runtime_error(created.error().message());
        loop = std::move(*created);
        // A test that waits for what does not come fails, and does not hang.
        loop->after(std::chrono::seconds(30), [this] {
            ADD_FAILURE() << "nothing happened";
            loop->quit();
        });
    }
    void note(const std::string& what) { notes.push_back(what); }

    std::optional<EventLoop> loop;
    std::vector<std::string> notes;
};

Pipe readable_pipe()
{
    auto pipe = make_pipe();
    if (!pipe || !write_all(pipe->write, "x")) std::abort();
    return std::move(*pipe);
}

TEST_F(EventLoopTest, what_comes_in_bulk_waits_for_all_else_one_at_a_time)
{
    std::vector<Pipe> bulk;
    for (int i = 0; i < 100; ++i) bulk.push_back(readable_pipe());
    const Pipe other = readable_pipe();
    std::array<std::byte, 8> bytes{};
    int calls = 0;
    for (const Pipe& pipe : bulk) {
        ASSERT_TRUE(loop->on_bulk(pipe.read, [&] {
            static_cast<void>(read_some(pipe.read, bytes));
            note("bulk");
            if (++calls == 2) static_cast<void>(write_all(other.write, "x"));
            if (calls == 100) loop->quit();
        }));
    }
    const auto id = loop->on_readable(other.read, [&] {
        note("other");
        static_cast<void>(read_some(other.read, bytes));
    });
    ASSERT_TRUE(id);
    ASSERT_TRUE(loop->run());
    EXPECT_THAT(std::vector(notes.begin(), notes.begin() + 5), ElementsAre("other", "bulk", "bulk", "other", "bulk"));
    EXPECT_EQ(notes.size(), 102U);
}

TEST_F(EventLoopTest, a_bulk_watch_that_was_cancelled_is_not_called)
{
    const Pipe one = readable_pipe();
    const Pipe two = readable_pipe();
    const auto quit = [&] {
        note("called");
        loop->quit();
    };
    const auto first = loop->on_bulk(one.read, quit);
    ASSERT_TRUE(first);
    loop->cancel(*first);
    // Twice the same descriptor, as with the other watches.
    const auto second = loop->on_bulk(two.read, [&] { note("second"); });
    const auto same = loop->on_bulk(two.read, quit);
    ASSERT_TRUE(second && same);
    loop->cancel(*second);
    ASSERT_TRUE(loop->run());
    EXPECT_THAT(notes, ElementsAre("called"));
}

TEST_F(EventLoopTest, tells_of_a_readable_descriptor_until_it_is_read)
{
    const Pipe pipe = readable_pipe();
    int calls = 0;
    ASSERT_TRUE(loop->on_readable(pipe.read, [&] {
        if (++calls < 3) return;
        std::byte byte{};
        ASSERT_TRUE(read_some(pipe.read, {&byte, 1}));
    }));
    for (int round = 0; round < 5; ++round) ASSERT_TRUE(loop->run_once(milliseconds(0)));
    EXPECT_EQ(calls, 3);
}

TEST_F(EventLoopTest, tells_of_a_hang_up)
{
    Pipe pipe = readable_pipe();
    std::byte byte{};
    ASSERT_TRUE(read_some(pipe.read, {&byte, 1}));
    ASSERT_TRUE(loop->on_readable(pipe.read, [&] { loop->quit(); }));
    pipe.write.reset();
    EXPECT_TRUE(loop->run());
}

TEST_F(EventLoopTest, a_descriptor_that_cannot_be_watched_is_an_error)
{
    const auto closed = loop->on_readable(BorrowedFd(-1), [] {});
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().os_errno, EBADF);
}

TEST_F(EventLoopTest, one_descriptor_may_be_watched_twice)
{
    const Pipe pipe = readable_pipe();
    const auto first = loop->on_readable(pipe.read, [&] { note("first"); });
    const auto second = loop->on_readable(pipe.read, [&] { note("second"); });
    ASSERT_TRUE(first && second);
    ASSERT_TRUE(loop->run_once(milliseconds(0)));
    EXPECT_THAT(notes, testing::UnorderedElementsAre("first", "second"));
    loop->cancel(*first);
    notes.clear();
    ASSERT_TRUE(loop->run_once(milliseconds(0)));
    EXPECT_THAT(notes, ElementsAre("second"));
}

TEST_F(EventLoopTest, timers_are_called_in_the_order_of_their_times)
{
    const auto now = MonotonicClock::now();
    loop->at(now + milliseconds(6), [&] {
        note("third");
        loop->quit();
    });
    loop->at(now + milliseconds(2), [&] { note("first"); });
    loop->at(now + milliseconds(4), [&] {
        EXPECT_GE(MonotonicClock::now(), now + milliseconds(4));
        note("second");
    });
    ASSERT_TRUE(loop->run());
    EXPECT_THAT(notes, ElementsAre("first", "second", "third"));
}

TEST_F(EventLoopTest, timers_of_one_time_are_called_in_the_order_of_their_making)
{
    const auto when = MonotonicClock::now() - milliseconds(1);
    for (const char* name : {"a", "b", "c"}) loop->at(when, [&, name] { note(name); });
    ASSERT_TRUE(loop->run_once(milliseconds(1000)));
    EXPECT_THAT(notes, ElementsAre("a", "b", "c"));
}

TEST_F(EventLoopTest, a_timer_is_called_once)
{
    loop->after(microseconds(0), [&] { note("called"); });
    for (int round = 0; round < 3; ++round) ASSERT_TRUE(loop->run_once(milliseconds(1)));
    EXPECT_THAT(notes, ElementsAre("called"));
}

TEST_F(EventLoopTest, a_timer_that_sets_itself_anew_starves_nobody)
{
    const Pipe pipe = readable_pipe();
    int ticks = 0;
    std::function<void()> tick = [&] {
        ++ticks;
        loop->at({}, tick);
    };
    tick();
    ASSERT_TRUE(loop->on_readable(pipe.read, [&] { loop->quit(); }));
    EXPECT_TRUE(loop->run());
    EXPECT_LT(ticks, 1000);
}

TEST_F(EventLoopTest, a_timer_for_the_end_of_time_neither_fires_nor_overflows)
{
    loop->after(microseconds::max(), [&] { note("fired"); });
    loop->at(MonotonicClock::time_point::max(), [&] { note("fired"); });
    ASSERT_TRUE(loop->run_once(milliseconds(5)));
    EXPECT_THAT(notes, IsEmpty());
}

TEST_F(EventLoopTest, a_cancelled_timer_does_not_even_wake_the_loop)
{
    const auto before = MonotonicClock::now();
    loop->cancel(loop->after(milliseconds(1), [&] { note("fired"); }));
    const auto id = loop->after(milliseconds(300), [&] { note("fired"); });
    ASSERT_TRUE(loop->run_once(milliseconds(0)));  // armed now
    loop->cancel(id);
    ASSERT_TRUE(loop->run_once(milliseconds(400)));
    EXPECT_GE(MonotonicClock::now() - before, milliseconds(400));
    EXPECT_THAT(notes, IsEmpty());
}

TEST_F(EventLoopTest, what_a_callback_cancels_is_not_called_in_the_same_round)
{
    const Pipe one = readable_pipe();
    const Pipe other = readable_pipe();
    EventLoop::Id ids[2] = {};
    const auto cancel_both = [&] {
        note("called");
        loop->cancel(ids[0]);
        loop->cancel(ids[1]);
    };
    const auto first = loop->on_readable(one.read, cancel_both);
    const auto second = loop->on_readable(other.read, cancel_both);
    ASSERT_TRUE(first && second);
    ids[0] = *first;
    ids[1] = *second;
    for (int round = 0; round < 3; ++round) ASSERT_TRUE(loop->run_once(milliseconds(0)));
    EXPECT_THAT(notes, ElementsAre("called"));
}

TEST_F(EventLoopTest, a_timer_may_cancel_another_that_is_due)
{
    EventLoop::Id second = 0;
    loop->at({}, [&] {
        note("first");
        loop->cancel(second);
    });
    second = loop->at(MonotonicClock::time_point(milliseconds(1)), [&] { note("second"); });
    ASSERT_TRUE(loop->run_once(milliseconds(1000)));
    ASSERT_TRUE(loop->run_once(milliseconds(1)));
    EXPECT_THAT(notes, ElementsAre("first"));
}

TEST_F(EventLoopTest, a_callback_that_cancels_itself_keeps_what_it_holds_until_it_returns)
{
    const Pipe pipe = readable_pipe();
    EventLoop::Id id = 0;
    const auto held = std::make_shared<std::string>("held");
    const auto watch =
        loop->on_readable(pipe.read, [this, &id, held = std::weak_ptr(held), own = std::string("own, and long enough to be on the heap")] {
            loop->cancel(id);
            note(own);
        });
    ASSERT_TRUE(watch);
    id = *watch;
    for (int round = 0; round < 2; ++round) ASSERT_TRUE(loop->run_once(milliseconds(0)));
    EXPECT_THAT(notes, ElementsAre("own, and long enough to be on the heap"));
}

TEST_F(EventLoopTest, a_cancelled_watch_s_successor_on_the_same_descriptor_is_called)
{
    const Pipe pipe = readable_pipe();
    const auto first = loop->on_readable(pipe.read, [&] { note("first"); });
    ASSERT_TRUE(first);
    loop->cancel(*first);
    loop->cancel(*first);  // spent ids are ignored
    loop->cancel(0);
    ASSERT_TRUE(loop->on_readable(pipe.read, [&] { note("second"); }));
    ASSERT_TRUE(loop->run_once(milliseconds(0)));
    EXPECT_THAT(notes, ElementsAre("second"));
}

TEST_F(EventLoopTest, nothing_is_called_after_quit)
{
    const Pipe one = readable_pipe();
    const Pipe other = readable_pipe();
    const auto quit = [&] {
        note("called");
        loop->quit();
    };
    ASSERT_TRUE(loop->on_readable(one.read, quit) && loop->on_readable(other.read, quit));
    loop->at({}, quit);
    ASSERT_TRUE(loop->run());
    EXPECT_EQ(notes.size(), 1U);
    ASSERT_TRUE(loop->run());  // and it may run again
    EXPECT_EQ(notes.size(), 2U);
}

TEST_F(EventLoopTest, quit_before_run_lets_it_return_at_once)
{
    loop->quit();
    EXPECT_TRUE(loop->run());
}

TEST_F(EventLoopTest, run_once_within_a_callback_reaches_the_others)
{
    const Pipe pipe = readable_pipe();
    ASSERT_TRUE(loop->on_readable(pipe.read, [&] { note("readable"); }));
    loop->at({}, [&] {
        note("timer");
        ASSERT_TRUE(loop->run_once(milliseconds(0)));
        note("timer ends");
        loop->quit();
    });
    ASSERT_TRUE(loop->run());
    const auto timer = std::ranges::find(notes, "timer");
    EXPECT_NE(std::find(timer, notes.end(), "readable"), notes.end());
}

TEST_F(EventLoopTest, the_end_of_a_child_is_told_once)
{
    const test::Meeting go;
    const test::TestChild child([&] { return go.hear(); });
    const auto process = ProcessRef::adopt_child(child.pid(), UniqueFd());
    ASSERT_TRUE(process);
    ASSERT_TRUE(loop->on_exit(*process, [&] {
        note("ended");
        loop->after(milliseconds(1), [&] { loop->quit(); });
    }));
    ASSERT_TRUE(loop->run_once(milliseconds(0)));
    EXPECT_THAT(notes, IsEmpty());
    go.tell();
    ASSERT_TRUE(loop->run());
    EXPECT_THAT(notes, ElementsAre("ended"));
}

TEST_F(EventLoopTest, the_end_of_a_process_that_is_dead_already_is_told_to_each_watch)
{
    test::TestChild child([] { return 0; });
    const auto process = ProcessRef::adopt_child(child.pid(), UniqueFd());
    ASSERT_TRUE(process);
    child.reap();
    const auto ended = [&] {
        note("ended");
        if (notes.size() == 2) loop->quit();
    };
    ASSERT_TRUE(loop->on_exit(*process, ended) && loop->on_exit(*process, ended));
    ASSERT_TRUE(loop->run());
    EXPECT_EQ(notes.size(), 2U);
}

TEST_F(EventLoopTest, the_end_of_a_process_that_is_no_child_is_told)
{
    const test::Meeting born;
    const test::TestChild parent([&] {
        const pid_t pid = ::fork();
        if (pid == 0) test::pause_for_ever();
        born.tell(pid);
        ::waitpid(pid, nullptr, 0);
        return 0;
    });
    const auto process = ProcessRef::open_pid(born.hear());
    ASSERT_TRUE(process && *process);
    ASSERT_TRUE(loop->on_exit(**process, [&] { loop->quit(); }));
    ASSERT_TRUE((*process)->signal(SIGKILL));
    EXPECT_TRUE(loop->run());
}

TEST_F(EventLoopTest, a_cancelled_watch_of_an_end_is_silent)
{
    const test::TestChild child([] { return 0; });
    const auto process = ProcessRef::adopt_child(child.pid(), UniqueFd());
    ASSERT_TRUE(process);
    const auto id = loop->on_exit(*process, [&] { note("ended"); });
    ASSERT_TRUE(id);
    loop->cancel(*id);
    child.wait_for_end();
    ASSERT_TRUE(loop->run_once(milliseconds(1)));
    EXPECT_THAT(notes, IsEmpty());
}

// In children: the mask is a process's.
TEST(EventLoopSignals, are_taken_with_their_sender)
{
    EXPECT_EQ(test::in_child([] {
                  auto loop = EventLoop::create();
                  if (!loop) return 1;
                  std::vector<int> taken;
                  std::int32_t sender = 0;
                  const auto take = [&](int signal, std::int32_t from) {
                      taken.push_back(signal);
                      sender = from;
                      if (taken.size() == 2) loop->quit();
                  };
                  if (!loop->on_signals({SIGTERM, SIGUSR1}, take)) return 2;
                  ::kill(getpid(), SIGTERM);
                  ::kill(getpid(), SIGUSR1);
                  if (!loop->run()) return 3;
                  std::ranges::sort(taken);
                  return taken == std::vector{SIGUSR1, SIGTERM} && sender == getpid() ? 0 : 4;
              }),
              0);
}

TEST(EventLoopSignals, sigchld_that_came_before_the_loop_ran_is_not_lost)
{
    EXPECT_EQ(test::in_child([] {
                  auto loop = EventLoop::create();
                  if (!loop || !loop->on_signals({SIGCHLD}, [&](int, std::int32_t) { loop->quit(); })) return 1;
                  const test::TestChild child([] { return 0; });
                  child.wait_for_end();
                  return loop->run() ? 0 : 2;
              }),
              0);
}

TEST(EventLoopSignals, what_is_no_signal_is_an_error)
{
    auto loop = EventLoop::create();
    ASSERT_TRUE(loop);
    EXPECT_FALSE(loop->on_signals({4711}, [](int, std::int32_t) {}));
}

TEST(EventLoopFork, a_forked_child_may_destroy_the_loop_and_make_its_own)
{
    auto loop = EventLoop::create();
    ASSERT_TRUE(loop);
    const Pipe pipe = readable_pipe();
    bool called = false;
    ASSERT_TRUE(loop->on_readable(pipe.read, [&] { called = true; }));
    EXPECT_EQ(test::in_child([&] {
                  {
                      const EventLoop inherited = std::move(*loop);
                  }
                  auto own = EventLoop::create();
                  if (!own || !own->on_signals({SIGTERM}, [&](int, std::int32_t) { own->quit(); })) return 1;
                  ::kill(getpid(), SIGTERM);
                  if (!own->run()) return 2;
                  unblock_all_signals();
                  return 0;
              }),
              0);
    ASSERT_TRUE(loop->run_once(milliseconds(0)));
    EXPECT_TRUE(called) << "the child reached into its parent's loop";
}

TEST(EventLoopDescriptors, are_close_on_exec_and_closed_with_the_loop)
{
    const auto next_fd = [] {
        const UniqueFd probe(::dup(0));
        return probe.get();
    };
    const int before = next_fd();
    {
        const auto loop = EventLoop::create();
        ASSERT_TRUE(loop);
        EXPECT_NE(::fcntl(before, F_GETFD) & FD_CLOEXEC, 0);
    }
    EXPECT_EQ(next_fd(), before);
}

TEST(EventLoopDescriptors, none_left_to_the_process_is_an_error)
{
    EXPECT_EQ(test::in_child([] {
                  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
                  ::setrlimit(RLIMIT_NOFILE, &none);
                  const auto loop = EventLoop::create();
                  return !loop && loop.error().os_errno == EMFILE ? 0 : 1;
              }),
              0);
}

}  // namespace
}  // namespace steward::os
