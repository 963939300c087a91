#include "supervise/command_run.hpp"

#include <csignal>

#include "process/launcher.hpp"

namespace steward::supervise {

Result<std::unique_ptr<CommandRun>> CommandRun::start(os::EventLoop& loop, const process::LaunchPlan& plan, std::optional<Duration> timeout,
                                                      Done done)
{
    auto launched = process::launch(plan);
    if (!launched) return fail(launched.error());
    std::unique_ptr<CommandRun> run(new CommandRun(loop, std::move(launched->process), std::move(done)));
    auto watch = loop.on_exit(run->process_, [self = run.get()] { self->process_gone(); });
    if (!watch) return fail(watch.error());
    run->exit_watch_ = *watch;
    if (timeout) run->timer_ = loop.after(*timeout, [self = run.get()] { self->timed_out(); });
    return run;
}

CommandRun::CommandRun(os::EventLoop& loop, os::ProcessRef process, Done done)
    : loop_(loop), process_(std::move(process)), done_(std::move(done))
{
}

CommandRun::~CommandRun()
{
    loop_.cancel(exit_watch_);
    loop_.cancel(timer_);
    if (!finished_) kill();
}

// It leads its own session, so its children go with it.
void CommandRun::send_kill() const
{
    if (!process_.signal_group(SIGKILL)) static_cast<void>(process_.signal(SIGKILL));
}

void CommandRun::end()
{
    if (!finished_) send_kill();
}

// Not waited for: it may be in a call that even SIGKILL does not end at once.
void CommandRun::kill()
{
    send_kill();
    static_cast<void>(os::reap(process_));
}

void CommandRun::ended(const ExitStatus& status)
{
    if (!finished_) finish({.timed_out = false, .exit = status});
}

void CommandRun::process_gone()
{
    exit_watch_ = 0;
    const auto reaped = os::reap(process_);
    if (finished_) return;
    if (reaped && *reaped) return finish({.timed_out = false, .exit = (*reaped)->status});
    // Somebody else reaped it in the same round and tells by ended(); if not, its status is lost, not its end.
    timer_ = loop_.after(std::chrono::milliseconds(100), [this] { finish({.timed_out = false, .exit = ExitStatus{.known = false}}); });
}

void CommandRun::timed_out()
{
    timer_ = 0;
    kill();
    finish({.timed_out = true, .exit = std::nullopt});
}

void CommandRun::finish(const Outcome& outcome)
{
    finished_ = true;
    loop_.cancel(exit_watch_);
    loop_.cancel(timer_);
    // `done_` may destroy this object: nothing is touched after it.
    const Done done = std::move(done_);
    done(outcome);
}

}  // namespace steward::supervise
