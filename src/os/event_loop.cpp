#include "os/event_loop.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <vector>

#include "os/deadline.hpp"
#include "os/error.hpp"
#include "os/liveness.hpp"
#include "os/signals.hpp"

namespace steward::os {
namespace {

using namespace std::chrono;
using Id = EventLoop::Id;
using TimePoint = MonotonicClock::time_point;

constexpr milliseconds look_interval(50);  // at processes that no pidfd watches
constexpr Id timer_id = 0;                 // the timerfd's own mark in epoll; never a watch's id
constexpr Id bulk_id = ~Id{0};             // likewise, of the epoll that holds the bulk watches
constexpr std::size_t batch_size = 16;

// Far beyond any uptime, and near enough that no sum of it with a time point overflows.
constexpr microseconds longest_delay = hours(24 * 365 * 100);

struct Watch {
    std::function<void()> callback = {};
    bool once = false;
    int epoll = -1;        // which one
    int fd = -1;           // in epoll, -1: not
    UniqueFd own_fd = {};  // set where `fd` is a duplicate
    std::optional<TimePoint> deadline = {};
    std::optional<ProcessIdentity> looked_at = {};  // without a pidfd: called when this process is dead
};

Error loop_error(int os_errno)
{
    return errno_error("watch", "for events", os_errno);
}

// What cannot be told is looked at again.
bool is_known_dead(const ProcessIdentity& identity)
{
    const Result<Liveness> state = liveness_by_start_time(identity);
    return state && *state == Liveness::dead;
}

}  // namespace

struct EventLoop::Impl {
    UniqueFd epoll;
    UniqueFd bulk;  // inside epoll; made for the first bulk watch
    UniqueFd timer;
    UniqueFd signals;
    std::map<Id, Watch> watches;
    std::set<std::pair<TimePoint, Id>> deadlines;
    std::optional<TimePoint> armed;  // what the timerfd is set to
    Id last_id = 0;
    bool stopped = false;

    // A callback may cancel its own watch while it runs: what is cancelled then is destroyed when the outermost round is over.
    unsigned dispatching = 0;
    std::vector<std::map<Id, Watch>::node_type> cancelled;

    Result<Id> add_fd(BorrowedFd fd, std::uint32_t events, Watch watch);
    Result<void> open_bulk();
    Id add_timer(TimePoint when, Watch watch);
    void look_later(Id id, Watch& watch);
    void cancel(Id id);
    Result<void> round(std::optional<TimePoint> deadline);
    Result<void> arm_timer();
    void dispatch(Id id);
    void dispatch_timers();
    void dispatch_bulk();
};

Result<Id> EventLoop::Impl::add_fd(BorrowedFd fd, std::uint32_t events, Watch watch)
{
    const Id id = ++last_id;
    epoll_event event{.events = events, .data = {.u64 = id}};
    if (watch.epoll < 0) watch.epoll = epoll.get();
    watch.fd = fd.get();
    int result = ::epoll_ctl(watch.epoll, EPOLL_CTL_ADD, watch.fd, &event);
    if (result != 0 && errno == EEXIST) {  // epoll takes a descriptor once: a second watch gets its own
        watch.own_fd = UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
        watch.fd = watch.own_fd.get();
        if (watch.fd < 0) return fail(loop_error(errno));
        result = ::epoll_ctl(watch.epoll, EPOLL_CTL_ADD, watch.fd, &event);
    }
    if (result != 0) return fail(loop_error(errno));
    watches.emplace(id, std::move(watch));
    return id;
}

Result<void> EventLoop::Impl::open_bulk()
{
    if (bulk) return {};
    UniqueFd made(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = bulk_id}};
    if (!made || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, made.get(), &event) != 0) return fail(loop_error(errno));
    bulk = std::move(made);
    return {};
}

Id EventLoop::Impl::add_timer(TimePoint when, Watch watch)
{
    const Id id = ++last_id;
    watch.once = true;
    watch.deadline = when;
    watches.emplace(id, std::move(watch));
    deadlines.emplace(when, id);
    return id;
}

void EventLoop::Impl::look_later(Id id, Watch& watch)
{
    deadlines.erase({*watch.deadline, id});
    watch.deadline = MonotonicClock::now() + look_interval;
    deadlines.emplace(*watch.deadline, id);
}

void EventLoop::Impl::cancel(Id id)
{
    const auto found = watches.find(id);
    if (found == watches.end()) return;
    Watch& watch = found->second;
    if (watch.fd >= 0) ::epoll_ctl(watch.epoll, EPOLL_CTL_DEL, watch.fd, nullptr);
    if (watch.deadline) deadlines.erase({*watch.deadline, id});
    watch.own_fd.reset();
    auto node = watches.extract(found);
    if (dispatching > 0) cancelled.push_back(std::move(node));
}

void EventLoop::Impl::dispatch(Id id)
{
    const auto found = watches.find(id);
    if (found == watches.end()) return;  // cancelled by a callback before it
    Watch& watch = found->second;
    if (!watch.once) return watch.callback();
    if (watch.looked_at && !is_known_dead(*watch.looked_at)) return look_later(id, watch);
    // Spent before it is called, so that its callback may cancel it or make another.
    const std::function<void()> callback = std::move(watch.callback);
    cancel(id);
    callback();
}

void EventLoop::Impl::dispatch_timers()
{
    std::uint64_t expirations = 0;
    if (::read(timer.get(), &expirations, sizeof expirations) > 0) armed.reset();
    const TimePoint now = MonotonicClock::now();
    // Timers made by these callbacks wait for the next round, or a timer that sets itself anew would starve the rest.
    std::vector<Id> due;
    for (const auto& [deadline, id] : deadlines) {
        if (deadline > now) break;
        due.push_back(id);
    }
    for (const Id id : due) {
        if (stopped) return;
        dispatch(id);
    }
}

void EventLoop::Impl::dispatch_bulk()
{
    epoll_event event{};
    if (::epoll_wait(bulk.get(), &event, 1, 0) == 1) dispatch(event.data.u64);
}

Result<void> EventLoop::Impl::arm_timer()
{
    std::optional<TimePoint> earliest;
    if (!deadlines.empty()) earliest = deadlines.begin()->first;
    if (earliest == armed) return {};
    itimerspec setting{};
    if (earliest) {
        const auto since = std::max<nanoseconds>(earliest->time_since_epoch(), nanoseconds(1));  // zero would disarm
        setting.it_value.tv_sec = duration_cast<seconds>(since).count();
        setting.it_value.tv_nsec = (since % seconds(1)).count();
    }
    if (::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &setting, nullptr) != 0) return fail(loop_error(errno));
    armed = earliest;
    return {};
}

Result<void> EventLoop::Impl::round(std::optional<TimePoint> deadline)
{
    if (auto result = arm_timer(); !result) return result;
    epoll_event events[batch_size];
    int count = 0;
    do {
        count = ::epoll_wait(epoll.get(), events, batch_size, milliseconds_until(deadline));
    } while (count < 0 && errno == EINTR);
    if (count < 0) return fail(loop_error(errno));
    ++dispatching;
    bool bulk_waits = false;
    for (int at = 0; at < count && !stopped; ++at) {
        const Id id = events[at].data.u64;
        if (id == bulk_id)
            bulk_waits = true;
        else
            id == timer_id ? dispatch_timers() : dispatch(id);
    }
    if (bulk_waits && !stopped) dispatch_bulk();
    if (--dispatching == 0) cancelled.clear();
    return {};
}

EventLoop::EventLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLoop::EventLoop(EventLoop&&) noexcept = default;
EventLoop& EventLoop::operator=(EventLoop&&) noexcept = default;
// Only closes: epoll_ctl in a forked child would reach into the parent's loop.
EventLoop::~EventLoop() = default;

Result<EventLoop> EventLoop::create()
{
    auto impl = std::make_unique<Impl>();
    impl->epoll = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    if (!impl->epoll) return fail(errno_error("make", "an event loop", errno));
    impl->timer = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!impl->timer) return fail(errno_error("make", "a timer", errno));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = timer_id}};
    if (::epoll_ctl(impl->epoll.get(), EPOLL_CTL_ADD, impl->timer.get(), &event) != 0) {
        return fail(errno_error("make", "an event loop", errno));
    }
    return EventLoop(std::move(impl));
}

Result<Id> EventLoop::on_readable(BorrowedFd fd, std::function<void()> callback)
{
    return impl_->add_fd(fd, EPOLLIN, Watch{.callback = std::move(callback)});
}

Result<Id> EventLoop::on_bulk(BorrowedFd fd, std::function<void()> callback)
{
    if (auto opened = impl_->open_bulk(); !opened) return fail(opened.error());
    return impl_->add_fd(fd, EPOLLIN, Watch{.callback = std::move(callback), .epoll = impl_->bulk.get()});
}

Result<Id> EventLoop::on_writable(BorrowedFd fd, std::function<void()> callback)
{
    return impl_->add_fd(fd, EPOLLOUT, Watch{.callback = std::move(callback)});
}

Result<Id> EventLoop::on_priority(BorrowedFd fd, std::function<void()> callback)
{
    return impl_->add_fd(fd, EPOLLPRI | EPOLLET, Watch{.callback = std::move(callback)});
}

Id EventLoop::at(TimePoint when, std::function<void()> callback)
{
    return impl_->add_timer(when, Watch{.callback = std::move(callback)});
}

Id EventLoop::after(microseconds delay, std::function<void()> callback)
{
    return at(MonotonicClock::now() + std::min(delay, longest_delay), std::move(callback));
}

Result<Id> EventLoop::on_exit(const ProcessRef& process, std::function<void()> callback)
{
    if (process.pidfd()) {
        return impl_->add_fd(process.pidfd(), EPOLLIN, Watch{.callback = std::move(callback), .once = true});
    }
    return impl_->add_timer(MonotonicClock::now(), Watch{.callback = std::move(callback), .looked_at = process.identity()});
}

Result<void> EventLoop::on_signals(std::initializer_list<int> signals, std::function<void(int signal, std::int32_t sender)> callback)
{
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : signals) ::sigaddset(&set, signal);
    if (auto blocked = block_signals(signals); !blocked) return blocked;
    impl_->signals = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!impl_->signals) return fail(errno_error("watch", "for signals", errno));
    const auto take_one = [fd = impl_->signals.get(), callback = std::move(callback)] {
        signalfd_siginfo taken = {};
        // One a round; the descriptor stays readable while there are more.
        if (::read(fd, &taken, sizeof taken) != sizeof taken) return;
        callback(static_cast<int>(taken.ssi_signo), static_cast<std::int32_t>(taken.ssi_pid));
    };
    if (auto id = impl_->add_fd(impl_->signals, EPOLLIN, Watch{.callback = take_one}); !id) {
        return fail(std::move(id.error()));
    }
    return {};
}

void EventLoop::cancel(Id id)
{
    impl_->cancel(id);
}

Result<void> EventLoop::run()
{
    while (!impl_->stopped) {
        if (auto result = impl_->round({}); !result) return result;
    }
    impl_->stopped = false;
    return {};
}

Result<void> EventLoop::run_once(milliseconds timeout)
{
    impl_->stopped = false;
    std::optional<TimePoint> deadline;
    if (timeout >= milliseconds::zero()) deadline = MonotonicClock::now() + timeout;
    return impl_->round(deadline);
}

void EventLoop::quit()
{
    impl_->stopped = true;
}

}  // namespace steward::os
