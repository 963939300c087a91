// ServiceRunner: from a launched program to one that is ready, and the end of one that is not in time.
#include <algorithm>

#include "supervise/service_runner.hpp"

namespace steward::supervise {

void ServiceRunner::launched()
{
    assignment_.plan.passed.clear();
    program_mailbox_.reset();
    limit_start();
    if (is(ServiceType::oneshot)) return;
    if (!is(ServiceType::forking)) return await_ready();
    forking_ = true;
    state_.launched_pid = main_->pid();
    static_cast<void>(write_state());
}

// ---- type = forking ------------------------------------------------------------------------------------------------------------------

// The launched process has said by its end that the service is up, or that it is not.
void ServiceRunner::parent_ended(const ExitStatus& status)
{
    host_.events.info(name(), "the launched process " + std::to_string(state_.launched_pid) + " ended: " + to_string(status));
    await_fork();
}

void ServiceRunner::await_fork()
{
    if (start_limit_ == 0) limit_start();
    forked_ = std::make_unique<ForkedMain>(host_.loop,
                                           ForkedMain::Search{.pid_file = assignment_.pid_file,
                                                              .owner = assignment_.owner,
                                                              .is_member = [this](std::int32_t pid) { return may_be_main(pid); },
                                                              .anybody_left = [this] { return anybody_left(); }},
                                           [this](Result<os::ProcessRef> found) { fork_found(std::move(found)); });
}

// In its cgroup nobody else can be. Without one: it fell to the supervisor or its keeper when its parents ended, and is younger than the
// process that was launched.
bool ServiceRunner::may_be_main(std::int32_t pid) const
{
    if (cgroup_) {
        const auto members = cgroup_->processes();
        return members && std::find(members->begin(), members->end(), pid) != members->end();
    }
    const auto stat = os::read_stat(pid);
    if (!stat || !*stat || (main_ && (*stat)->start_time < main_->identity().start_time)) return false;
    return pid != host_.supervisor.pid &&
           (descends_from(pid, host_.supervisor.pid) || (host_.keeper && descends_from(pid, host_.keeper.pid)));
}

bool ServiceRunner::anybody_left() const
{
    if (!cgroup_ && host_.tree_root == 0) return true;  // it cannot be told
    const auto members = find_members(membership());
    return !members || !members->empty();
}

void ServiceRunner::fork_found(Result<os::ProcessRef> main)
{
    forked_.reset();
    if (!main) return end_by_fault(record::State::Fault::not_ready, main.error().cause);
    forking_ = false;
    main_ = std::move(*main);
    main_running_ = true;
    take_as_main();
    await_ready();
}

void ServiceRunner::take_as_main()
{
    output_.set_main_pid(main_->pid());
    // The process first: as long as the state before it is read, launched_pid tells that it is not the launched one.
    if (assignment_.directory) static_cast<void>(assignment_.directory->write_main(main_->identity()));
    state_.main_pidfs_inode = main_->identity().pidfs_inode;
    static_cast<void>(write_state());
    // Usually it is this process's child by now; where it is the keeper's, the end shows here.
    watch_foreign_main();
}

// ---- [ready] -------------------------------------------------------------------------------------------------------------------------

void ServiceRunner::await_ready()
{
    const auto& rules = assignment_.spec.ready;
    // Its parent's end was its word.
    if (is(ServiceType::forking) && rules.is_default()) return became_ready();
    ReadyContext context{.loop = host_.loop,
                         .rules = rules,
                         .main = main_->pid(),
                         .launched = launched_at_,
                         .launched_at = state_.since,
                         .command = {},
                         .mailbox = program_mailbox_ ? program_mailbox_ : assignment_.mailbox,
                         .output = &output_};
    if (assignment_.ready_command) context.command = command_plan(*assignment_.ready_command);
    if (state_.said_ready) return became_ready();
    ready_ = watch_ready(std::move(context), [this] { became_ready(); });
}

void ServiceRunner::became_ready()
{
    stop_waiting();
    run_hook(Hook::post_start, [this](const HookRun::Failure& failure) {
        if (failure) return end_by_fault(record::State::Fault::hook, *failure);
        now_running();
    });
}

void ServiceRunner::now_running()
{
    first_start_ = false;
    told_.clear();
    state_.ready_since = std::chrono::system_clock::now();
    set_state(ServiceState::running);
    answer_all(start_answers_, started_reply());
    host_.events.info(name(), "running, PID " + std::to_string(main_->pid()));
    watch_health();
}

// ---- not in time ---------------------------------------------------------------------------------------------------------------------

void ServiceRunner::limit_start()
{
    const auto limit = assignment_.spec.start_limit();
    if (!limit) return;
    host_.loop.cancel(start_limit_);
    const auto now = std::chrono::system_clock::now();
    const auto extended = os::MonotonicClock::now() + std::chrono::duration_cast<Duration>(state_.extended_until.value_or(now) - now);
    start_limit_ = host_.loop.at(std::max(launched_at_ + *limit, extended), [this] {
        start_limit_ = 0;
        start_overdue();
    });
}

void ServiceRunner::start_overdue()
{
    const std::string limit = limit_text(*assignment_.spec.start_limit());
    if (state_.extended_until)
        return end_by_fault(record::State::Fault::not_ready, "it was not ready in the longer time that it asked for");
    std::string reason = is(ServiceType::oneshot) ? "it did not end within " + limit : "it was not ready after " + limit;
    if (ready_ != nullptr && !ready_->complaint().empty()) reason += " (" + ready_->complaint() + ")";
    if (forking_) reason += forked_ != nullptr ? " (" + forked_->complaint() + ")" : " (the launched process has not ended)";
    end_by_fault(record::State::Fault::not_ready, std::move(reason));
}

// Ended as by stop; what follows is as after an end by itself.
void ServiceRunner::end_by_fault(record::State::Fault fault, std::string reason)
{
    stop_waiting();
    host_.events.error(name(), reason);
    state_.fault = fault;
    state_.reason = std::move(reason);
    set_state(ServiceState::stopping);
    end_processes({.rules = assignment_.spec.stop}, [this](const StopReport& report) { leftovers_killed(report); });
}

void ServiceRunner::stop_waiting()
{
    ready_.reset();
    forked_.reset();
    drop_start_hook();
    if (health_ != nullptr) {
        health_.reset();
        state_.health = record::State::Health::unknown;
        state_.health_failures = 0;
    }
    host_.loop.cancel(std::exchange(stopping_limit_, 0));
    host_.loop.cancel(std::exchange(start_limit_, 0));
}

}  // namespace steward::supervise
