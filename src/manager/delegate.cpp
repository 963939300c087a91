#include "manager/delegate.hpp"

#include <thread>

#include "log/log_file.hpp"
#include "manager/verbs.hpp"
#include "supervise/client.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;
using std::chrono::milliseconds;

constexpr milliseconds begin_patience{5000};
constexpr milliseconds look_pause{10};
constexpr unsigned lines_of_failure = 10;

bool up(ServiceState state)
{
    return state == ServiceState::running || state == ServiceState::starting || state == ServiceState::reloading;
}

std::string boot_text(init::BootState state)
{
    switch (state) {
        case init::BootState::unknown: return {};
        case init::BootState::disabled: return "disabled";
        case init::BootState::enabled: return "enabled";
        case init::BootState::masked: return "masked";
        case init::BootState::always: return "static";
    }
    return {};
}

struct Seen {
    Located located;
    Judgement judgement;
};

// The record may have been made since the service was located.
Result<Seen> seen_anew(const Located& located)
{
    Located again{.name = located.name, .ad_hoc = {}, .paths = located.paths, .sources = located.sources, .directory = {}, .loaded = {}};
    auto directory = record::ServiceDirectory::open(located.paths.runtime, located.name);
    if (!directory) return fail(directory.error());
    again.directory = std::move(*directory);
    auto judgement = judge(again);
    if (!judgement) return fail(judgement.error());
    return Seen{.located = std::move(again), .judgement = std::move(*judgement)};
}

// It was begun, and runs no more: the record may know why.
Error ended_at_once(const Located& located)
{
    Error error{.operation = "start", .object = located.name, .cause = "it ended at once"};
    const auto now = seen_anew(located);
    if (!now || !now->judgement.state) return error;
    const record::State& state = *now->judgement.state;
    if (!state.reason.empty()) error.cause = state.reason;
    if (state.last_exit && state.reason.empty()) error.cause = "it ended with " + to_string(*state.last_exit);
    if (auto lines = log::last_lines(state.log_file, lines_of_failure)) error.detail = std::move(*lines);
    return error;
}

// runit's script, before and after it has become `steward run`.
bool is_on_its_way(const std::string& command)
{
    return command == "run" || command == "steward";
}

bool failed_since(const Located& located, std::chrono::system_clock::time_point when)
{
    const auto now = seen_anew(located);
    return now && now->judgement.state && now->judgement.state->since >= when;
}

init::JobOptions job_of(const StartOptions& options)
{
    init::JobOptions job{.wait = options.wait, .deadline = {}};
    if (options.timeout) job.deadline = std::chrono::steady_clock::now() + *options.timeout;
    return job;
}

// What the record tells is a run that the init system has had nothing to do with, or that it says less about: the same one, by `steward run`.
bool record_is_news(const Judgement& judgement, const init::Told& told)
{
    if (!judgement.state || (told.state != ServiceState::stopped && told.state != ServiceState::failed)) return false;
    if (!told.since) return true;
    const bool same_run = judgement.same_boot && told.last_pid != 0 && told.last_pid == judgement.state->supervisor.pid;
    return same_run || judgement.state->since > *told.since;
}

}  // namespace

Result<std::optional<Delegate>> Delegate::of(const Located& located, init::Ask what)
{
    if (!located.init_system || !located.ad_hoc.empty()) return std::optional<Delegate>();
    auto authority = located.init_system(located.paths.scope);
    if (!authority) return std::optional<Delegate>();
    auto told = authority->look(located.name, what);
    if (!told) return fail(told.error());
    if (!*told) return std::optional<Delegate>();
    return std::optional(Delegate(std::move(authority), std::move(**told)));
}

bool Delegate::runs() const
{
    return up(told_.state);
}

Result<StartOutcome> Delegate::start(const Located& located, const StartOptions& options)
{
    const bool before = runs();
    const auto asked = std::chrono::system_clock::now();
    if (auto started = authority_->start(located.name, job_of(options)); !started) {
        const bool unexplained = !authority_->waits_for_outcome() && failed_since(located, asked);
        return fail(unexplained ? ended_at_once(located) : started.error());
    }
    if (auto up = await_outcome(located, options); !up) return fail(up.error());
    return StartOutcome{.already_running = before, .adopted = false, .main_pid = main_pid_now(located)};
}

Result<StartOutcome> Delegate::restart(const Located& located, const StartOptions& options)
{
    if (auto started = authority_->restart(located.name, job_of(options)); !started) return fail(started.error());
    if (auto up = await_outcome(located, options); !up) return fail(up.error());
    return StartOutcome{.already_running = false, .adopted = false, .main_pid = main_pid_now(located)};
}

// What the init system has begun is soon under steward's own eyes, or never will be.
Result<void> Delegate::await_outcome(const Located& located, const StartOptions& options)
{
    if (authority_->waits_for_outcome() || !options.wait) return {};
    const auto limit = options.timeout ? std::optional(std::chrono::ceil<milliseconds>(*options.timeout)) : std::nullopt;
    const auto deadline = std::chrono::steady_clock::now() + limit.value_or(begin_patience);
    while (std::chrono::steady_clock::now() < deadline) {
        auto now = seen_anew(located);
        if (now && now->judgement.verdict == Verdict::supervised) {
            auto reply = supervise::ask(*now->located.directory, supervise::Request::start, "start", located.name, limit);
            const Error* const refused = !reply ? &reply.error() : reply->error ? &*reply->error : nullptr;
            if (refused == nullptr) return {};
            // Of a restart: that is still the one before.
            if (refused->code != ErrorCode::not_running) return fail(*refused);
        }
        const auto told = authority_->look(located.name, init::Ask::everything);
        if (!told || !*told || (*told)->state == ServiceState::stopped) return fail(ended_at_once(located));
        // What it has not become yet, or is no more, cannot be told.
        const auto process = os::read_stat(static_cast<std::int32_t>((*told)->main_pid));
        if ((*told)->main_pid == 0 || (process && *process && !is_on_its_way((*process)->command))) return {};
        std::this_thread::sleep_for(look_pause);
    }
    return {};
}

std::int64_t Delegate::main_pid_now(const Located& located)
{
    const auto now = seen_anew(located);
    if (now && is_stewards(now->judgement)) return now->judgement.main ? now->judgement.main->pid() : 0;
    const auto told = authority_->look(located.name, init::Ask::everything);
    return told && *told ? (*told)->main_pid : 0;
}

Result<void> Delegate::stop(const Located& located)
{
    return authority_->stop(located.name);
}

Result<void> Delegate::reload(const Located& located)
{
    if (!runs()) {
        return fail(Error{.code = ErrorCode::not_running,
                          .operation = "reload",
                          .object = located.name,
                          .cause = "it is not running",
                          .next_step = "steward start " + located.name});
    }
    if (!told_.can_reload) {
        return fail(Error{.code = ErrorCode::unsupported,
                          .operation = "reload",
                          .object = located.name,
                          .cause = "its unit says no way to (ExecReload=)",
                          .next_step = "steward restart " + located.name});
    }
    return authority_->reload(located.name);
}

Result<void> Delegate::signal(const Located& located, int signal)
{
    if (runs()) return authority_->signal(located.name, signal);
    return fail(Error{.code = ErrorCode::not_running, .operation = "signal", .object = located.name, .cause = "it is not running"});
}

void Delegate::add_to(ServiceStatus& status, const Located& located, const Judgement& judgement, const StatusOptions& options)
{
    status.init_system = to_string(system());
    status.boot = boot_text(told_.boot);
    if (is_stewards(judgement) || record_is_news(judgement, told_)) return;
    status.state = told_.state;
    status.lsb_code = up(told_.state) || told_.state == ServiceState::stopping ? 0 : 3;
    status.reason = told_.reason;
    status.since = told_.since;
    if (told_.state == ServiceState::running) status.ready_since = told_.since;
    status.next_start.reset();
    status.restarts = told_.restarts;
    status.last_exit = told_.last_exit;
    status.main_pid = told_.main_pid;
    status.supervised = false;
    // What systemd starts writes to its journal, unless the service file says where to.
    if (system() == InitSystem::systemd && status.log_file == located.paths.log_file(status.name)) status.log_file.clear();
    if (status.log_file.empty()) status.last_lines = authority_->last_lines(status.name, told_, options.last_lines);
}

bool is_stewards(const Judgement& judgement)
{
    return judgement.verdict == Verdict::supervised || judgement.verdict == Verdict::alone || judgement.verdict == Verdict::launching;
}

bool is_only_stewards(const Located& located, const Delegate& delegate)
{
    if (delegate.runs()) return false;
    const auto judgement = judge(located);
    return judgement && is_stewards(*judgement);
}

bool leaves_session(const Located& located)
{
    const auto authority = located.init_system ? located.init_system(located.paths.scope) : nullptr;
    return authority && authority->ends_sessions();
}

void leave_session(const Located& located, const std::string& description)
{
    const auto authority = located.init_system ? located.init_system(located.paths.scope) : nullptr;
    // Where it is refused the service is what it would be without an init system: a process of the caller's session.
    if (authority) static_cast<void>(authority->take_from_session(located.name, description));
}

}  // namespace steward::manager
