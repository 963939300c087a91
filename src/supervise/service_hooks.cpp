// ServiceRunner: hooks, run on the way from one state to the next.
#include <algorithm>
#include <csignal>
#include <utility>
#include <vector>

#include "supervise/service_runner.hpp"

namespace steward::supervise {

namespace {

constexpr std::chrono::milliseconds lost_hook_wait{500};

bool belongs_to_start(Hook hook)
{
    return hook == Hook::pre_start || hook == Hook::post_start;
}

}  // namespace

// `then` is called at once where there is none.
void ServiceRunner::run_hook(Hook hook, AfterHook then)
{
    const Commands& plans = assignment_.hooks[hook];
    if (plans.empty()) return then(std::nullopt);
    const HookNews news{.service = name(), .last_exit = state_.last_exit, .restarts = state_.restarts};
    Commands commands;
    for (const auto& plan : plans) {
        auto& command = commands.emplace_back(command_plan(plan));
        tell(command, hook, news);
        if (cgroup_) command.cgroup = cgroup_->directory();
    }
    const auto done = [this, hook, then = std::move(then)](const HookRun::Failure& failure) {
        const auto ended = std::exchange(hook_, nullptr);
        state_.hook = {};
        if (failure && !belongs_to_start(hook)) host_.events.warning(name(), *failure);  // else the start tells
        then(failure);
    };
    hook_ = std::make_unique<HookRun>(host_.loop, hook, std::move(commands), assignment_.spec.hooks.timeout, done,
                                      HookRun::Told{.started = [this](const os::ProcessIdentity& command) { hook_started(command); },
                                                    .trouble = [this](const Error& error) { tell_trouble(error); }});
}

void ServiceRunner::hook_started(const os::ProcessIdentity& command)
{
    state_.hook = command;
    static_cast<void>(write_state());
}

// Nothing of the service is left, and whatever comes of the hook, that follows which would follow without it.
void ServiceRunner::run_last_hook(Hook hook, std::function<void()> then)
{
    if (assignment_.hooks[hook].empty()) return then();
    if (state_.state != ServiceState::stopping) set_state(ServiceState::stopping);
    // It may have been killed: nothing is born into it then.
    close_cgroup();
    run_hook(hook, [then = std::move(then)](const HookRun::Failure&) { then(); });
}

void ServiceRunner::run_post_stop(std::function<void()> then)
{
    if (!std::exchange(post_stop_due_, false)) return then();
    remove_pid_file(main_ ? main_->pid() : state_.last_exit_pid);
    run_last_hook(Hook::post_stop, std::move(then));
}

// What a start was waiting for is of no interest any more.
void ServiceRunner::drop_start_hook()
{
    if (hook_ == nullptr || !belongs_to_start(hook_->hook())) return;
    hook_.reset();
    state_.hook = {};
}

// The command that a dead supervisor ran died with it; its children did not, and it will be run again. What was killed holds its files and
// locks until it is gone: it is waited for, but not where even SIGKILL does not end it at once.
void ServiceRunner::end_lost_hook()
{
    const os::ProcessIdentity lost = std::exchange(state_.hook, {});
    if (!lost) return;
    const auto members = find_session(lost);
    if (!members) return tell_trouble(members.error());
    std::vector<os::ProcessRef> killed;
    for (const auto& member : *members) {
        auto process = os::ProcessRef::open(member);
        if (process && *process && (*process)->signal(SIGKILL)) killed.push_back(std::move(**process));
    }
    const auto until = os::MonotonicClock::now() + lost_hook_wait;
    for (const auto& process : killed) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - os::MonotonicClock::now());
        static_cast<void>(process.wait(std::max(left, std::chrono::milliseconds::zero())));
    }
}

// ---- pre-start -----------------------------------------------------------------------------------------------------------------------

void ServiceRunner::run_pre_start()
{
    if (auto opened = open_for_launch(); !opened) return launch_failed(opened.error());
    run_hook(Hook::pre_start, [this](const HookRun::Failure& failure) {
        if (!failure) return launch_program();
        Error failed = error(ErrorCode::exited_early, "start", *failure);
        failed.detail = output_.last_lines(told_lines);
        launch_failed(failed);
    });
}

// The record says that it is starting, and that nothing of it runs yet.
Result<void> ServiceRunner::open_for_launch()
{
    if (auto ready = output_.begin_launch(); !ready) return ready;
    if (auto opened = open_cgroup(); !opened) return opened;
    if (!assignment_.directory) return {};
    if (auto cleared = assignment_.directory->clear_main(); !cleared) return cleared;
    state_.state = ServiceState::starting;
    state_.since = std::chrono::system_clock::now();
    return write_state();
}

// A supervisor was killed while it ran a pre-start hook: what that has left ends before the hook is run again.
void ServiceRunner::launch_over_remains()
{
    end_processes({.rules = assignment_.spec.stop, .kill_at_once = true}, [this](const StopReport& report) {
        if (!report.service_is_over()) tell_trouble(stop_error(name(), report));
        close_cgroup();
        if (state_.stop_requested) return run_post_stop([this] { finish(ServiceState::stopped, ""); });
        launch();
    });
}

}  // namespace steward::supervise
