// ServiceRunner: how a service is started, and a start that fails.
#include "supervise/service_runner.hpp"

#include <array>

#include "os/shortage.hpp"
#include "record/pid_file.hpp"
#include "supervise/limited_cgroup.hpp"
#include "supervise/listening.hpp"

namespace steward::supervise {

namespace {

constexpr std::chrono::seconds shortage_pause{1};

}  // namespace

void ServiceRunner::begin(Answer first)
{
    begun_ = true;
    listen();
    if (assignment_.adopt) return adopt(std::move(first));
    launch_first(std::move(first));
}

void ServiceRunner::launch_first(Answer first)
{
    first_start_ = static_cast<bool>(first);
    if (first) start_answers_.push_back(std::move(first));
    launch();
}

void ServiceRunner::launch()
{
    host_.loop.cancel(std::exchange(next_step_, 0));
    state_.next_start.reset();
    state_.reason.clear();
    start_now_ = false;
    main_.reset();
    shortage_ = false;
    state_.launched_pid = 0;
    state_.ready_since.reset();
    state_.fault = record::State::Fault::none;
    forget_words();
    memory_kills_ = 0;
    post_stop_due_ = true;
    if (!assignment_.hooks[Hook::pre_start].empty()) return run_pre_start();
    launch_program();
}

void ServiceRunner::launch_program()
{
    if (auto tried = try_launch(); !tried) return launch_failed(tried.error());
    launched();
    if (assignment_.report_launch && first_start_) answer_all(start_answers_, started_reply());
}

Result<void> ServiceRunner::open_cgroup()
{
    const std::array own{host_.keeper.pid, host_.supervisor.pid};
    auto made = limited_cgroup(assignment_.cgroup_name, assignment_.spec, own);
    cgroup_ = made ? std::move(*made) : std::nullopt;
    state_.cgroup = cgroup_ ? cgroup_->path() : "";
    state_.main_pidfs_inode = 0;
    if (!made) return fail(made.error());
    return {};
}

// A cgroup that was killed once is not born into again. What the kernel has killed in it is noted before it goes, and once only: the record
// that counts it names it no more.
void ServiceRunner::close_cgroup()
{
    if (!cgroup_) return;
    memory_kills_ = cgroup_->usage().memory_kills;
    if (memory_kills_ > 0) {
        state_.cgroup.clear();
        state_.memory_kills += memory_kills_;
        static_cast<void>(write_state());
        host_.events.error(name(), "the kernel killed " + std::to_string(memory_kills_) + " of its processes for want of memory");
    }
    static_cast<void>(cgroup_->remove());
    cgroup_.reset();
}

Result<void> ServiceRunner::try_launch()
{
    if (auto ready = output_.begin_launch(); !ready) return ready;
    output_.note_launch(state_);
    // With a hook before it, it is there already, and what that has left is in it.
    if (assignment_.hooks[Hook::pre_start].empty()) {
        if (auto opened = open_cgroup(); !opened) return opened;
    }
    assignment_.plan.passed.clear();
    if (auto opened = open_sockets(assignment_); !opened) return opened;
    pass_sockets(assignment_, assignment_.plan);
    if (auto lent = lend_mailbox(); !lent) return lent;
    // What the last run left in it would be taken for this one's.
    if (is(ServiceType::forking)) static_cast<void>(record::remove_pid_file(assignment_.pid_file, 0, assignment_.owner));

    auto& plan = assignment_.plan;
    output_.lend_to(plan);
    plan.cgroup = cgroup_ ? cgroup_->directory() : os::BorrowedFd();
    state_.state = ServiceState::starting;
    state_.since = std::chrono::system_clock::now();
    auto launched = assignment_.directory ? launch_recorded(*assignment_.directory) : process::launch(plan);
    launched_at_ = os::MonotonicClock::now();
    if (!launched) return fail(launched.error());
    main_ = std::move(launched->process);
    main_running_ = true;
    host_.places[main_->pid()] = place_;
    output_.set_main_pid(main_->pid());
    state_.main_pidfs_inode = main_->identity().pidfs_inode;
    if (cgroup_ && !launched->in_cgroup) {
        static_cast<void>(cgroup_->remove());
        cgroup_.reset();
        state_.cgroup.clear();
        if (limits_of(assignment_.spec.resources).any()) return fail(no_cgroup(assignment_.spec));
    }
    if (is(ServiceType::forking)) return {};
    return write_pid_file();
}

// Emptied first: a newline of the last run says nothing about this one.
Result<void> ServiceRunner::lend_mailbox()
{
    if (!assignment_.mailbox) return {};
    std::array<std::byte, 4096> bytes{};
    for (auto size = os::read_some(assignment_.mailbox, bytes); size && *size > 0;) size = os::read_some(assignment_.mailbox, bytes);
    auto opened = os::open_mailbox(assignment_.mailbox);
    if (!opened) return fail(opened.error());
    program_mailbox_ = std::move(*opened);
    assignment_.plan.passed.push_back({.fd = program_mailbox_, .as = assignment_.spec.ready.fd});
    return {};
}

// From the lock until exec, which drops the child's copy of it: whoever takes over in between waits for the outcome instead of starting
// another. No state names a new run while the old main process still stands in the record.
Result<process::Launched> ServiceRunner::launch_recorded(record::ServiceDirectory& directory)
{
    auto launch_lock = directory.lock_launch();
    if (!launch_lock) return fail(launch_lock.error());
    if (auto cleared = directory.clear_main(); !cleared) return fail(cleared.error());
    if (auto written = write_state(); !written) return fail(written.error());
    auto record = directory.record_for_child();
    if (!record) return fail(record.error());
    assignment_.plan.record = *record;
    assignment_.plan.launch_lock = *launch_lock;
    return process::launch(assignment_.plan);
}

// A launch that fails while somebody waits for the first start fails that start; later ones count as an end like any other.
void ServiceRunner::launch_failed(const Error& error)
{
    tell_trouble(error);
    state_.reason = error.message();
    if (first_start_) return fail_start(error);
    shortage_ = os::is_shortage(error.os_errno);
    if (shortage_ && !main_running_) return launch_later();
    state_.last_exit = ExitStatus{.known = false, .at = std::chrono::system_clock::now()};
    state_.last_run = 0;
    // It may run, but its PID file could not be written: nothing is left half done.
    kill_leftovers();
}

// It has not failed, so its policy has no say: as soon as the machine can, it is launched.
void ServiceRunner::launch_later()
{
    main_.reset();
    state_.next_start = std::chrono::system_clock::now() + shortage_pause;
    set_state(ServiceState::backing_off);
    tell_later(next_step_, shortage_pause, &ServiceRunner::launch);
}

// Told once nothing is left of it.
void ServiceRunner::fail_start(Error error)
{
    const auto told = [this, error = std::move(error)] {
        answer_all(start_answers_, Reply{.error = error});
        if (state_.stop_requested) return finish(ServiceState::stopped, "");
        finish(ServiceState::failed, state_.reason);
    };
    const auto ended = [this, told] {
        run_post_stop([this, told] { run_last_hook(Hook::on_failure, [this, told] { run_last_hook(Hook::on_give_up, told); }); });
    };
    stop_waiting();
    if (!main_running_ && !cgroup_ && host_.tree_root == 0) return ended();
    end_processes({.rules = assignment_.spec.stop, .kill_at_once = true}, [ended](const StopReport&) { ended(); });
}

}  // namespace steward::supervise
