// ServiceRunner: how a new supervisor carries on from the record, whatever its predecessor was doing when it was killed.
#include <algorithm>
#include <cerrno>
#include <csignal>

#include "supervise/listening.hpp"
#include "supervise/service_runner.hpp"

namespace steward::supervise {

namespace {

// How long the keeper may take to pass on the exit status of a main process that is seen to be gone.
constexpr std::chrono::milliseconds notice_wait{500};
constexpr std::chrono::milliseconds notice_pause{20};
constexpr std::chrono::seconds record_pause{1};

// Where it cannot be told: now.
os::MonotonicClock::time_point start_of(const os::ProcessIdentity& process)
{
    const auto started = os::start_time_to_clock(process.start_time);
    const auto ran = started ? std::chrono::system_clock::now() - *started : std::chrono::system_clock::duration::zero();
    return os::MonotonicClock::now() - ran;
}

bool is_final(ServiceState state)
{
    return state == ServiceState::stopped || state == ServiceState::finished || state == ServiceState::failed;
}

}  // namespace

bool ServiceRunner::was_begun_before() const
{
    if (!assignment_.adopt) return false;
    const auto recorded = assignment_.directory->read_state();
    const auto main = assignment_.directory->read_main();
    // What cannot be told may run: adoption waits until it can.
    if (!recorded || !main || assignment_.released) return true;
    if (*main || !*recorded) return static_cast<bool>(*main);
    const record::State& state = **recorded;
    return state.state != ServiceState::starting || state.restarts > 0 || state.last_exit || state.stop_requested;
}

void ServiceRunner::adopt(Answer first)
{
    if (assignment_.released) {
        over_ = true;
        return host_.one_over(place_);
    }
    if (first) start_answers_.push_back(std::move(first));
    if (auto opened = output_.carry_on(); !opened) host_.events.error(name(), opened.error().message());
    try_to_adopt();
}

void ServiceRunner::try_to_adopt()
{
    // A launch that the last supervisor began is either over or has written its PID when this lock is free.
    static_cast<void>(assignment_.directory->lock_launch());
    const auto recorded = assignment_.directory->read_state();
    const auto main = assignment_.directory->read_main();
    if (!recorded || !main) {
        // Perhaps it runs: to start it would be to start it twice.
        host_.events.error(name(), (recorded ? main.error() : recorded.error()).message());
        return tell_later(next_step_, record_pause, &ServiceRunner::try_to_adopt);
    }
    first_start_ = !start_answers_.empty();
    if (!*recorded) return launch();
    carry_on(**recorded, *main);
}

void ServiceRunner::carry_on(const record::State& before, const std::optional<os::ProcessIdentity>& main)
{
    const record::State ours = std::exchange(state_, before);
    if (before.supervisor.pid == ours.supervisor.pid && before.supervisor.start_time == ours.supervisor.start_time) {
        host_.events.info(name(), "its service file was applied");
    } else {
        host_.events.warning(name(), "a new supervisor carries on, PID " + std::to_string(ours.supervisor.pid));
    }
    state_.boot = ours.boot;
    state_.keeper = ours.keeper;
    state_.supervisor = ours.supervisor;
    output_.launched_before(state_);
    end_lost_hook();
    post_stop_due_ = before.state != ServiceState::backing_off;
    // What it goes by may be newer than what the last one went by (apply).
    state_.file_digest = ours.file_digest;
    state_.description = ours.description;
    if (!before.cgroup.empty()) cgroup_ = os::Cgroup::open(before.cgroup);
    if (is_final(before.state)) {
        over_ = true;
        answer_all(start_answers_, Reply{.error = error(ErrorCode::not_running, "start", "it is over")});
        return host_.one_over(place_);
    }
    // A start that found it alive, and now it is not, starts it anew. Else: nobody was told yet how the first start went.
    start_now_ = !start_answers_.empty();
    first_start_ = !start_now_ && !assignment_.by_policy && before.state == ServiceState::starting && before.restarts == 0;
    forking_ = is(ServiceType::forking) && before.state == ServiceState::starting &&
               (before.launched_pid == 0 || (main && main->pid == before.launched_pid));
    if (forking_ && main) state_.launched_pid = main->pid;
    if (main) {
        auto process = os::ProcessRef::open(*main);
        const auto liveness = process && *process ? (*process)->liveness() : Result<os::Liveness>(os::Liveness::dead);
        if (liveness && *liveness == os::Liveness::alive) return adopt_main(std::move(**process));
    }
    if (before.state == ServiceState::backing_off) return start_now_ ? launch() : resume_back_off();
    if (main && main->pid != before.last_exit_pid) return await_unseen_exit(*main, before.state);
    if (before.stop_requested) return begin_stop();
    // Either the end of a run was noted and what follows from it was not, or a launch came to nothing.
    if (main || before.state == ServiceState::stopping) return kill_leftovers();
    if (!assignment_.hooks[Hook::pre_start].empty()) return launch_over_remains();
    launch();
}

void ServiceRunner::adopt_main(os::ProcessRef main)
{
    main_ = std::move(main);
    main_running_ = true;
    start_now_ = false;
    output_.set_main_pid(main_->pid());
    take_over_sockets();
    state_.main_pidfs_inode = main_->identity().pidfs_inode;
    launched_at_ = start_of(main_->identity());
    if (!is(ServiceType::forking)) static_cast<void>(write_pid_file());
    watch_foreign_main();
    if (state_.stop_requested) {
        static_cast<void>(write_state());
        answer_all(start_answers_, Reply{.error = error(ErrorCode::not_running, "start", "it is being stopped")});
        return begin_stop();
    }
    if (state_.fault != record::State::Fault::none) return end_by_fault(state_.fault, state_.reason);
    if (state_.state == ServiceState::starting) return adopt_starting();
    first_start_ = false;
    if (state_.said_stopping) {
        static_cast<void>(write_state());
        start_now_ = !start_answers_.empty();
        return await_own_end();
    }
    const bool reloads_by_itself = state_.state == ServiceState::reloading && assignment_.spec.ready.notify;
    if (state_.state == ServiceState::running || reloads_by_itself) {
        static_cast<void>(write_state());
    } else {
        set_state(ServiceState::running);
    }
    watch_health();
    answer_all(start_answers_, started_reply());
}

// Its sockets, should the ones before have taken them along: the program has them too.
void ServiceRunner::take_over_sockets()
{
    if (std::ranges::all_of(assignment_.sockets, [](const HeldSocket& held) { return static_cast<bool>(held.socket); })) return;
    auto listeners = os::listeners_of(*main_);
    take_sockets(assignment_, listeners, SocketFiles::ours);
}

// Whether it is ready is found out anew, in what is left of its time.
void ServiceRunner::adopt_starting()
{
    first_start_ = state_.restarts == 0;
    static_cast<void>(write_state());
    limit_start();
    if (forking_ || is(ServiceType::oneshot)) return;
    if (assignment_.spec.ready.is_default() || !recover_mailbox()) return became_ready();
    await_ready();
}

// If the keeper was killed too, another pipe is here than the program has: its own end leads to the right one in any case. A program that
// has closed that end has said what it had to say.
bool ServiceRunner::recover_mailbox()
{
    if (assignment_.spec.ready.fd == 0) return true;
    auto opened = os::open_descriptor_of(main_->pid(), assignment_.spec.ready.fd);
    if (opened) program_mailbox_ = std::move(*opened);
    return opened || opened.error().os_errno != ENOENT;
}

// Its status is on its way from the keeper, or lost with it.
void ServiceRunner::await_unseen_exit(const os::ProcessIdentity& main, ServiceState before)
{
    unseen_ = main.pid;
    unseen_was_starting_ = before == ServiceState::starting;
    launched_at_ = start_of(main);
    static_cast<void>(write_state());
    main_watch_ = host_.loop.after(notice_wait, [this] {
        main_watch_ = 0;
        main_ended(ExitStatus{.known = false, .at = std::chrono::system_clock::now()});
    });
}

// The wall clock may have jumped: the rest of the delay is never longer than a whole one.
void ServiceRunner::resume_back_off()
{
    const auto now = std::chrono::system_clock::now();
    const auto& rules = assignment_.spec.restart;
    const auto rest = std::chrono::duration_cast<Duration>(state_.next_start.value_or(now) - now);
    const Duration delay = std::clamp(rest, Duration::zero(), std::max(rules.max_delay, rules.delay));
    state_.next_start = now + delay;
    static_cast<void>(write_state());
    tell_later(next_step_, delay, &ServiceRunner::launch);
}

// The main process is the keeper's child or nobody's: SIGCHLD will not tell of it here.
void ServiceRunner::watch_foreign_main()
{
    auto watch = host_.loop.on_exit(*main_, [this] { ask_for_exit(os::MonotonicClock::now() + notice_wait); });
    if (!watch) return tell_later(main_watch_, record_pause, &ServiceRunner::watch_foreign_main);
    main_watch_ = *watch;
}

// The kernel tells the status of somebody else's child once that parent has reaped it (Linux 6.15), which may be a moment later.
void ServiceRunner::ask_for_exit(os::MonotonicClock::time_point until)
{
    main_watch_ = 0;
    if (!main_running_) return;
    if (auto told = main_->foreign_exit_status()) return main_gone(*told);
    if (os::MonotonicClock::now() >= until) return main_gone(ExitStatus{.known = false, .at = std::chrono::system_clock::now()});
    main_watch_ = host_.loop.after(notice_pause, [this, until] { ask_for_exit(until); });
}

}  // namespace steward::supervise
