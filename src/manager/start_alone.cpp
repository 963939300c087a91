#include "manager/start_alone.hpp"

#include "manager/verbs.hpp"
#include "process/launcher.hpp"
#include "record/pid_file.hpp"
#include "supervise/output.hpp"
#include "supervise/settle.hpp"
#include "supervise/stop_sequence.hpp"

namespace steward::manager {

namespace {

constexpr unsigned told_lines = 10;

class LoneStart {
  public:
    explicit LoneStart(supervise::Assignment assignment) : assignment_(std::move(assignment)), state_(supervise::initial_state(assignment_))
    {
    }

    Result<StartOutcome> run(const StartOptions& options);

  private:
    Result<process::Launched> launch();
    Result<void> note_running(const process::Launched& launched);
    tl::unexpected<Error> ended_at_once(const os::ProcessRef& main);
    tl::unexpected<Error> give_up(Error error, const os::ProcessRef* main);

    supervise::Assignment assignment_;
    record::State state_;
    std::optional<supervise::Output> output_;
    std::optional<os::Cgroup> cgroup_;
};

Result<StartOutcome> LoneStart::run(const StartOptions& options)
{
    auto launched = launch();
    if (!launched) return give_up(launched.error(), nullptr);
    const os::ProcessRef& main = launched->process;
    if (auto written = record::write_pid_file(assignment_.pid_file, main.pid(), assignment_.owner); !written) {
        return give_up(written.error(), &main);
    }
    auto settled = options.wait ? supervise::wait_until_settled(main) : Result<bool>(true);
    if (!settled) return give_up(settled.error(), &main);
    if (!*settled) return ended_at_once(main);
    if (auto noted = note_running(*launched); !noted) return give_up(noted.error(), &main);
    return StartOutcome{.already_running = false, .adopted = false, .main_pid = main.pid()};
}

Result<process::Launched> LoneStart::launch()
{
    auto output = supervise::Output::open(assignment_.output);
    if (!output) return fail(output.error());
    output_ = std::move(*output);
    cgroup_ = os::Cgroup::create(assignment_.cgroup_name);
    state_.cgroup = cgroup_ ? cgroup_->path() : "";
    if (auto written = assignment_.directory->write_state(state_); !written) return fail(written.error());

    auto launch_lock = assignment_.directory->lock_launch();
    if (!launch_lock) return fail(launch_lock.error());
    auto record = assignment_.directory->record_for_child();
    if (!record) return fail(record.error());
    output_->lend_to(assignment_.plan);
    assignment_.plan.detach = true;
    assignment_.plan.record = *record;
    assignment_.plan.launch_lock = *launch_lock;
    assignment_.plan.cgroup = cgroup_ ? cgroup_->directory() : os::BorrowedFd();
    return process::launch(assignment_.plan);
}

Result<void> LoneStart::note_running(const process::Launched& launched)
{
    state_.state = ServiceState::running;
    state_.since = std::chrono::system_clock::now();
    state_.main_pidfs_inode = launched.process.identity().pidfs_inode;
    if (!launched.in_cgroup) {
        if (cgroup_) static_cast<void>(cgroup_->remove());
        state_.cgroup.clear();
    }
    return assignment_.directory->write_state(state_);
}

tl::unexpected<Error> LoneStart::ended_at_once(const os::ProcessRef& main)
{
    static_cast<void>(record::remove_pid_file(assignment_.pid_file, main.pid(), assignment_.owner));
    state_.last_exit = exit_of_stranger(main);
    state_.last_exit_pid = main.pid();
    return give_up(Error{.code = ErrorCode::exited_early,
                         .operation = "start",
                         .object = assignment_.spec.name,
                         .cause = "it ended at once: " + to_string(*state_.last_exit),
                         .detail = output_->last_lines(told_lines)},
                   &main);
}

// Ends what a failed start has left, and says so in the record.
tl::unexpected<Error> LoneStart::give_up(Error error, const os::ProcessRef* main)
{
    const supervise::Membership where{.cgroup = cgroup_ ? &*cgroup_ : nullptr, .main = main};
    if (where.cgroup != nullptr || main != nullptr) {
        static_cast<void>(
            supervise::stop_members({.rules = assignment_.spec.stop, .cgroup = where.cgroup, .kill_at_once = true}, main, where));
    }
    if (main != nullptr) static_cast<void>(record::remove_pid_file(assignment_.pid_file, main->pid(), assignment_.owner));
    if (cgroup_) static_cast<void>(cgroup_->remove());
    static_cast<void>(assignment_.directory->clear_main());
    state_.state = ServiceState::failed;
    state_.since = std::chrono::system_clock::now();
    state_.reason = error.cause;
    state_.cgroup.clear();
    static_cast<void>(assignment_.directory->write_state(state_));
    return fail(std::move(error));
}

}  // namespace

Result<StartOutcome> start_alone(supervise::Assignment assignment, const StartOptions& options)
{
    return LoneStart(std::move(assignment)).run(options);
}

}  // namespace steward::manager
