// One thread waits for everything: descriptors, timers, signals, the ends of processes. No polling: an idle loop never wakes
// (but on a kernel without pidfds, where the end of a process that is not a child is looked for every 50 ms).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>

#include <steward/result.hpp>

#include "os/fd.hpp"
#include "os/process.hpp"

namespace steward::os {

using MonotonicClock = std::chrono::steady_clock;

// Not thread-safe. Callbacks may add and cancel anything, themselves included.
//
// A forked child shares the kernel's side of the loop with its parent: it may destroy or abandon what it inherited, and create its own,
// but must not cancel, add or run.
class EventLoop {
  public:
    static Result<EventLoop> create();
    EventLoop(EventLoop&&) noexcept;
    EventLoop& operator=(EventLoop&&) noexcept;
    ~EventLoop();

    using Id = std::uint64_t;  // 0 is never an id

    // Level-triggered; `fd` stays the caller's and must be cancelled before it is closed. Called on readable, hang-up or error.
    Result<Id> on_readable(BorrowedFd fd, std::function<void()> callback);
    // Likewise, for much that comes from many: one of them at a time, and after each all else that has happened.
    Result<Id> on_bulk(BorrowedFd fd, std::function<void()> callback);
    // As on_readable, when the descriptor can be written to: a connection that was begun has come about or has failed.
    Result<Id> on_writable(BorrowedFd fd, std::function<void()> callback);
    // Edge-triggered, for priority data (EPOLLPRI): cgroup.events of a cgroup. Called once soon after the registration, and then after
    // each change; the callback need not read from `fd`.
    Result<Id> on_priority(BorrowedFd fd, std::function<void()> callback);
    // Once, at or after `when`. Timers due at the same time are called in the order in which they were made.
    Id at(MonotonicClock::time_point when, std::function<void()> callback);
    Id after(std::chrono::microseconds delay, std::function<void()> callback);
    // Once, when the process has ended (zombies count); soon when it already has. Works with and without pidfds, for children and
    // others. `process` must outlive the watch.
    Result<Id> on_exit(const ProcessRef& process, std::function<void()> callback);
    // Blocks the signals for this process and takes them here, by signalfd. One call a loop. The sender's PID comes along.
    // They stay blocked when the loop is gone (signals.hpp: unblock_all_signals).
    Result<void> on_signals(std::initializer_list<int> signals, std::function<void(int signal, std::int32_t sender)> callback);
    void cancel(Id id);  // unknown and spent ids are ignored

    // Until quit(); EINTR is retried.
    Result<void> run();
    // One round, waiting at most `timeout` (negative: for ever).
    Result<void> run_once(std::chrono::milliseconds timeout);
    // run() returns; no callback follows the one that calls this.
    void quit();

  private:
    struct Impl;
    explicit EventLoop(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace steward::os
