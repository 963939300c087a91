// stop: through the supervisor where there is one, with the same sequence in this process where there is none.
#include "manager/verbs.hpp"
#include "os/event_loop.hpp"
#include "process/launch_plan.hpp"
#include "record/pid_file.hpp"
#include "supervise/client.hpp"
#include "supervise/stop_sequence.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

constexpr std::chrono::milliseconds keeper_patience{5000};

Result<StopOutcome> ask_supervisor(const Located& located, const Judgement& judgement)
{
    auto reply = supervise::ask(*located.directory, supervise::Request::stop, "stop", located.name, std::nullopt);
    if (!reply) return fail(reply.error());
    if (reply->error) return fail(*reply->error);
    wait_for_keeper(judgement);
    return StopOutcome{.was_running = true, .killed = reply->killed};
}

Error survivors_error(const std::string& name, const supervise::StopReport& report)
{
    if (report.survivors.empty()) return *report.error;
    Error error{.code = ErrorCode::survivors,
                .operation = "stop",
                .object = name,
                .cause = std::to_string(report.survivors.size()) + " of its processes survived SIGKILL"};
    for (const auto& survivor : report.survivors) error.detail.push_back("PID " + std::to_string(survivor.pid));
    return error;
}

Result<supervise::StopReport> run_sequence(supervise::StopSequence::Plan plan, const os::ProcessRef* main,
                                           const supervise::Membership& where)
{
    auto loop = os::EventLoop::create();
    if (!loop) return fail(loop.error());
    supervise::StopReport outcome;
    supervise::StopSequence sequence(
        *loop, std::move(plan), main, [&] { return supervise::find_members(where); },
        [&](const supervise::StopReport& report) {
            outcome = report;
            loop->quit();
        });
    sequence.begin();
    if (auto ran = loop->run(); !ran) return fail(ran.error());
    return outcome;
}

// The service is over: record and PID file say so.
Result<void> tidy(const Located& located, const Judgement& judgement, std::optional<ExitStatus> exit)
{
    if (auto removed = record::remove_pid_file(judgement.pid_file, judgement.main ? judgement.main->pid() : 0, os::effective_uid());
        !removed) {
        return removed;
    }
    if (!judgement.state) return {};
    record::State state = *judgement.state;
    state.state = ServiceState::stopped;
    state.since = std::chrono::system_clock::now();
    state.stop_requested = false;
    state.next_start.reset();
    state.cgroup.clear();
    if (exit) state.last_exit = exit;
    if (auto cleared = located.directory->clear_main(); !cleared) return cleared;
    return located.directory->write_state(state);
}

// Nobody supervises it: either it wants nobody, or keeper and supervisor were killed.
Result<StopOutcome> stop_alone(const Located& located, const Judgement& judgement)
{
    auto spec = load_started(located);
    if (!spec) return fail(spec.error());
    std::optional<process::LaunchPlan> command;
    if (!spec->stop.command.empty()) {
        auto plan = process::make_command_plan(*spec, spec->stop.command,
                                               {.extra_environment = {{"MAINPID", std::to_string(judgement.main->pid())}}});
        if (!plan) return fail(plan.error());
        command = std::move(*plan);
    }
    const auto cgroup = judgement.state->cgroup.empty() ? std::nullopt : os::Cgroup::open(judgement.state->cgroup);
    const supervise::Membership where{.cgroup = cgroup ? &*cgroup : nullptr, .main = &*judgement.main};
    auto report = run_sequence({.rules = spec->stop, .command = command ? &*command : nullptr, .cgroup = where.cgroup},
                               &*judgement.main, where);
    if (!report) return fail(report.error());
    if (!report->survivors.empty() || report->error) return fail(survivors_error(located.name, *report));
    if (cgroup) static_cast<void>(cgroup->remove());
    const auto exit = judgement.main->foreign_exit_status();
    if (auto tidied = tidy(located, judgement, exit); !tidied) return fail(tidied.error());
    return StopOutcome{.was_running = true, .killed = report->killed};
}

// Its main process is gone. What its cgroup still holds is its own beyond doubt, and ends; a bare PID file is only stale.
Result<StopOutcome> stop_dead(const Located& located, const Judgement& judgement)
{
    StopOutcome outcome;
    const bool recorded = judgement.state && !judgement.state->cgroup.empty();
    const auto cgroup = recorded ? os::Cgroup::open(judgement.state->cgroup) : std::nullopt;
    if (cgroup) {
        auto spec = load_started(located);
        const auto rules = spec ? spec->stop : ServiceSpec::Stop{};
        auto report = run_sequence({.rules = rules, .cgroup = &*cgroup}, nullptr, {.cgroup = &*cgroup});
        if (!report) return fail(report.error());
        if (!report->survivors.empty() || report->error) return fail(survivors_error(located.name, *report));
        static_cast<void>(cgroup->remove());
        outcome.killed = report->killed;
    }
    if (auto tidied = tidy(located, judgement, std::nullopt); !tidied) return fail(tidied.error());
    return outcome;
}

}  // namespace

void wait_for_keeper(const Judgement& judgement)
{
    if (!judgement.state) return;
    for (const auto& identity : {judgement.state->supervisor, judgement.state->keeper}) {
        if (!identity) continue;
        auto process = os::ProcessRef::open(identity);
        if (process && *process) static_cast<void>((*process)->wait(keeper_patience));
    }
}

Result<StopOutcome> stop(Located& located)
{
    if (!located.directory) {
        auto judgement = judge(located);
        if (!judgement) return fail(judgement.error());
        if (judgement->verdict == Verdict::refused || judgement->verdict == Verdict::undeterminable) {
            return fail(refusal(*judgement, "stop", located.name));
        }
        if (judgement->verdict == Verdict::dead) return stop_dead(located, *judgement);
        return StopOutcome{};
    }
    auto verb_lock = located.directory->lock_verb(std::nullopt);
    if (!verb_lock) return fail(verb_lock.error());
    auto judgement = judge(located);
    if (!judgement) return fail(judgement.error());
    switch (judgement->verdict) {
        case Verdict::supervised: return ask_supervisor(located, *judgement);
        case Verdict::alone: return stop_alone(located, *judgement);
        case Verdict::launching:
        case Verdict::dead: return stop_dead(located, *judgement);
        case Verdict::stopped: return StopOutcome{};
        case Verdict::refused:
        case Verdict::undeterminable: return fail(refusal(*judgement, "stop", located.name));
    }
    return StopOutcome{};
}

}  // namespace steward::manager
