// stop: through the supervisor where there is one, with the same sequence in this process where there is none.
#include <algorithm>
#include <thread>

#include "manager/abandoned_output.hpp"
#include "manager/delegate.hpp"
#include "manager/leftovers.hpp"
#include "manager/verbs.hpp"
#include "process/launch_plan.hpp"
#include "record/pid_file.hpp"
#include "supervise/client.hpp"
#include "supervise/hook.hpp"
#include "supervise/listening.hpp"
#include "supervise/stop_sequence.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds look_pause{10};
constexpr milliseconds reap_pause{2};
constexpr milliseconds reap_patience{100};
constexpr std::chrono::seconds answer_slack{20};
constexpr int most_attempts = 5;

Result<StopOutcome> ask_supervisor(const Located& located, const Judgement& judgement)
{
    const auto spec = load_started(located);
    auto reply =
        supervise::ask(*located.directory, supervise::Request::stop, "stop", located.name, stop_patience(spec ? *spec : ServiceSpec{}));
    if (!reply) {
        Error error = reply.error();
        // Its keeper starts another, which carries on.
        if (error.code == ErrorCode::timed_out) error.next_step = "kill -KILL " + std::to_string(judgement.state->supervisor.pid);
        return fail(std::move(error));
    }
    if (reply->error) return fail(*reply->error);
    wait_for_keeper(located, keeper_patience);
    return StopOutcome{.was_running = true, .killed = reply->killed};
}

// The service is over: record and PID file say so.
Result<void> tidy(const Located& located, const Judgement& judgement)
{
    const std::int32_t main = judgement.main ? judgement.main->pid() : 0;
    if (auto removed = record::remove_pid_file(judgement.pid_file, main, judgement.pid_file_owner); !removed) return removed;
    if (!judgement.state) return {};
    record::State state = *judgement.state;
    if (judgement.main) {
        state.last_exit = exit_of_stranger(*judgement.main);
        state.last_exit_pid = main;
    }
    state.state = ServiceState::stopped;
    state.since = std::chrono::system_clock::now();
    state.stop_requested = false;
    state.next_start.reset();
    state.cgroup.clear();
    state.reason.clear();
    if (auto cleared = located.directory->clear_main(); !cleared) return cleared;
    return located.directory->write_state(state);
}

// Unset where there is none, or none that can be run any more: the signal is always there.
std::optional<process::LaunchPlan> stop_command(const ServiceSpec& spec, std::int32_t main)
{
    if (spec.stop.command.empty()) return std::nullopt;
    auto plan = process::make_command_plan(spec, spec.stop.command, {.extra_environment = {{"MAINPID", std::to_string(main)}}});
    return plan ? std::optional(std::move(*plan)) : std::nullopt;
}

// A hook that its supervisor would have run, if that had not been killed. The stop follows, whatever comes of it.
void run_hook(const ServiceSpec& spec, supervise::Hook hook, const Judgement& judgement)
{
    const auto& written = supervise::commands_of(spec, hook);
    process::PlanContext context;
    if (hook == supervise::Hook::pre_stop) context.extra_environment["MAINPID"] = std::to_string(judgement.main->pid());
    supervise::HookNews news{.service = spec.name};
    if (judgement.state) {
        news.last_exit = judgement.state->last_exit;
        news.restarts = judgement.state->restarts;
    }
    supervise::Commands commands;
    for (const Argv& command : written) {
        auto plan = process::make_command_plan(spec, command, context);
        if (!plan) return;
        supervise::tell(*plan, hook, news);
        commands.push_back(std::move(*plan));
    }
    static_cast<void>(supervise::run_hook(hook, std::move(commands), spec.hooks.timeout));
}

bool ended_unseen(const Judgement& judgement)
{
    if (!judgement.state || !judgement.same_boot) return false;
    const ServiceState state = judgement.state->state;
    return state == ServiceState::starting || state == ServiceState::running || state == ServiceState::reloading ||
           state == ServiceState::stopping;
}

// Nobody supervises it: either it wants nobody, or keeper and supervisor were killed.
Result<StopOutcome> stop_alone(const Located& located, const Judgement& judgement)
{
    auto spec = load_started(located);
    if (!spec) return fail(spec.error());
    run_hook(*spec, supervise::Hook::pre_stop, judgement);
    const auto cgroup = recorded_cgroup(judgement);
    const supervise::Membership where{.cgroup = cgroup ? &*cgroup : nullptr, .main = &*judgement.main};
    auto loop = os::EventLoop::create();
    if (!loop) return fail(loop.error());
    AbandonedOutput output(*loop, located, *spec, judgement);
    auto report = supervise::stop_members(
        *loop, {.rules = spec->stop, .command = stop_command(*spec, judgement.main->pid()), .cgroup = where.cgroup}, where.main, where);
    if (!report) return fail(report.error());
    output.drain();
    if (!report->service_is_over()) return fail(supervise::stop_error(located.name, *report));
    if (cgroup) static_cast<void>(cgroup->remove());
    supervise::remove_dead_sockets(*spec);
    run_hook(*spec, supervise::Hook::post_stop, judgement);
    if (auto tidied = tidy(located, judgement); !tidied) return fail(tidied.error());
    return StopOutcome{.was_running = true, .killed = report->killed};
}

// Its main process is gone; a bare PID file is only stale.
Result<StopOutcome> stop_dead(const Located& located, const Judgement& judgement)
{
    const auto killed = end_leftovers(located, judgement, Manners::ask_first);
    if (!killed) return fail(killed.error());
    const auto spec = load_started(located);
    auto loop = os::EventLoop::create();
    if (spec && loop) AbandonedOutput(*loop, located, *spec, judgement).drain();
    if (spec) supervise::remove_dead_sockets(*spec);
    if (spec && ended_unseen(judgement)) run_hook(*spec, supervise::Hook::post_stop, judgement);
    if (auto tidied = tidy(located, judgement); !tidied) return fail(tidied.error());
    return StopOutcome{.was_running = false, .killed = *killed};
}

// Unset: the service has changed hands or ended meanwhile, and is to be judged anew.
Result<std::optional<StopOutcome>> stop_judged(const Located& located, const Judgement& judgement)
{
    const auto settle = [](Result<StopOutcome> outcome) -> Result<std::optional<StopOutcome>> {
        if (!outcome) return fail(outcome.error());
        return std::optional(*outcome);
    };
    switch (judgement.verdict) {
        case Verdict::supervised: {
            auto asked = ask_supervisor(located, judgement);
            if (asked || asked.error().code != ErrorCode::not_running) return settle(std::move(asked));
            wait_for_keeper(located, keeper_patience);
            return std::optional<StopOutcome>();
        }
        case Verdict::launching: {
            if (auto launched = located.directory->lock_launch(); !launched) return fail(launched.error());
            return std::optional<StopOutcome>();
        }
        case Verdict::alone: return settle(stop_alone(located, judgement));
        case Verdict::dead: return settle(stop_dead(located, judgement));
        case Verdict::stopped: return std::optional(StopOutcome{});
        case Verdict::refused:
        case Verdict::undeterminable: return fail(refusal(judgement, "stop", located.name));
    }
    return std::optional(StopOutcome{});
}

}  // namespace

void wait_for_keeper(const Located& located, milliseconds limit)
{
    const auto deadline = Clock::now() + limit;
    const auto state = located.directory->read_state();
    std::optional<os::ProcessRef> last;
    for (const auto& identity :
         {state && *state ? (*state)->supervisor : os::ProcessIdentity{}, state && *state ? (*state)->keeper : os::ProcessIdentity{}}) {
        auto process = identity ? os::ProcessRef::open(identity) : Result<std::optional<os::ProcessRef>>(std::nullopt);
        if (process && *process) last = std::move(*process);
    }
    // Its end is waited for, and the lease looked at: a supervisor of several services gives up one lease and goes on.
    for (;;) {
        const auto held = located.directory->lease_held();
        if (!held || !*held || Clock::now() >= deadline) return;
        const auto ended = last ? last->wait(look_pause) : Result<bool>(true);
        if (!ended || *ended) std::this_thread::sleep_for(reap_pause);
    }
}

milliseconds stop_patience(const ServiceSpec& spec)
{
    return std::chrono::ceil<milliseconds>(spec.stop.timeout + spec.hooks.of_end()) + answer_slack;
}

ExitStatus exit_of_stranger(const os::ProcessRef& process)
{
    const auto deadline = Clock::now() + reap_patience;
    for (;;) {
        if (auto told = process.foreign_exit_status()) return *told;
        if (Clock::now() >= deadline) return ExitStatus{.known = false, .at = std::chrono::system_clock::now()};
        std::this_thread::sleep_for(reap_pause);
    }
}

namespace {

Result<StopOutcome> stop_here(const Located& located)
{
    std::optional<os::UniqueFd> verb_lock;
    if (located.directory) {
        auto locked = located.directory->lock_verb(std::nullopt);
        if (!locked) return fail(locked.error());
        verb_lock = std::move(*locked);
    }
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        auto judgement = judge(located);
        if (!judgement) return fail(judgement.error());
        auto outcome = stop_judged(located, *judgement);
        if (!outcome) return fail(outcome.error());
        if (*outcome) return **outcome;
    }
    return fail(Error{.code = ErrorCode::failed,
                      .operation = "stop",
                      .object = located.name,
                      .cause = "its lease is held, and nobody answers for it",
                      .next_step = "steward status " + located.name});
}

}  // namespace

// What the init system runs it ends; what steward runs beside it, started before there was a unit, is steward's to end.
Result<StopOutcome> stop(Located& located)
{
    const auto judgement = located.init_system ? judge(located) : Judgement{};
    const bool ours = judgement && is_stewards(*judgement);
    auto delegate = Delegate::of(located, ours ? init::Ask::boot : init::Ask::everything);
    if (!delegate) return fail(delegate.error());
    if (!*delegate) return stop_here(located);
    const bool was_running = ours || !(*delegate)->rests();
    if (auto stopped = (*delegate)->stop(located); !stopped) return fail(stopped.error());
    auto outcome = stop_here(located);
    if (outcome) outcome->was_running = outcome->was_running || was_running;
    return outcome;
}

}  // namespace steward::manager
