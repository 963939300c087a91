// ServiceRunner: the end of a run, what follows from it, and the end on request.
#include <chrono>
#include <csignal>
#include <random>

#include "os/error.hpp"
#include "os/shortage.hpp"
#include "supervise/listening.hpp"
#include "supervise/service_runner.hpp"

namespace steward::supervise {

namespace {

constexpr std::chrono::seconds survivor_pause{5};

double random_fraction()
{
    static std::minstd_rand generator{
        static_cast<std::minstd_rand::result_type>(std::chrono::steady_clock::now().time_since_epoch().count() ^ os::self_pid())};
    return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

// ---- by itself -----------------------------------------------------------------------------------------------------------------------

void ServiceRunner::main_ended(const ExitStatus& status)
{
    host_.loop.cancel(std::exchange(main_watch_, 0));
    // The child of a supervisor that was killed before exec finds nobody to report to: that launch came to nothing, the program never ran.
    const bool was_no_run = unseen_ != 0 && unseen_was_starting_ && status.known && status.signalled && status.code == SIGPIPE;
    const bool handed_over = forking_ && (!status.known || (!status.signalled && status.code == 0));
    if (handed_over && stop_ == nullptr && !state_.stop_requested) {
        main_running_ = false;
        unseen_ = 0;
        return parent_ended(status);
    }
    forking_ = false;
    stop_waiting();
    state_.last_exit = status;
    state_.last_exit_pid = main_running_ ? main_->pid() : unseen_;
    state_.last_run = std::chrono::duration_cast<Duration>(os::MonotonicClock::now() - launched_at_).count();
    main_running_ = false;
    unseen_ = 0;
    static_cast<void>(write_state());
    if (stop_ != nullptr) {
        // Its sequence sees the end by its own watch, and goes on with the rest of the service.
        if (stop_report_) conclude();
        return;
    }
    host_.events.info(name(), "PID " + std::to_string(state_.last_exit_pid) + " ended: " + to_string(status));
    if (state_.stop_requested && hook_ != nullptr) return;  // its pre-stop hook; what follows that is the end
    if (state_.stop_requested) return begin_stop();
    if (was_no_run) return launch();
    kill_leftovers();
}

// The next run must not meet the children of the last.
void ServiceRunner::kill_leftovers()
{
    if (assignment_.spec.stop.mode == StopMode::main && !main_running_) return after_end();
    stop_waiting();
    end_processes({.rules = assignment_.spec.stop, .kill_at_once = true}, [this](const StopReport& report) { leftovers_killed(report); });
}

void ServiceRunner::leftovers_killed(const StopReport& report)
{
    if (!report.service_is_over()) tell_trouble(stop_error(name(), report));
    // What could not be looked for may still be there.
    if (report.survivors.empty() && report.error && os::is_shortage(report.error->os_errno)) return kill_leftovers();
    close_cgroup();
    after_end();
}

void ServiceRunner::after_end()
{
    if (shortage_ && !state_.stop_requested) return launch_later();
    run_post_stop([this] { settle_end(); });
}

void ServiceRunner::start_by_hand()
{
    remove_pid_file(state_.last_exit_pid);
    first_start_ = true;
    launch();
}

void ServiceRunner::settle_end()
{
    if (state_.stop_requested) return finish(ServiceState::stopped, "");
    if (start_now_) return start_by_hand();  // whatever the policy says
    const bool at_fault = state_.fault != record::State::Fault::none;
    // What steward ended for its fault did not end well, whatever it said in the end: as with systemd that is an abnormal end.
    const ExitStatus exit =
        at_fault ? ExitStatus{.signalled = true, .code = SIGABRT} : state_.last_exit.value_or(ExitStatus{.known = false});
    const bool done = is(ServiceType::oneshot) && classify(exit, assignment_.spec.restart) == Ending::clean;
    if (first_start_ && !done) {
        if (state_.reason.empty()) state_.reason = "it ended at once: " + end_text(exit);
        return fail_start(early_exit());
    }
    if (killed_for_memory(exit) && state_.reason.empty()) state_.reason = end_text(exit);
    const RestartHistory history{.attempts = static_cast<unsigned>(state_.attempts)};
    const auto decision = decide(assignment_.spec.restart, exit, Duration(state_.last_run), history, random_fraction());
    const std::string why = state_.reason.empty() ? end_text(exit) : state_.reason;
    if (classify(exit, assignment_.spec.restart) == Ending::clean) return follow(decision, why);
    run_last_hook(Hook::on_failure, [this, decision, why] { follow(decision, why); });
}

std::optional<ExitStatus> ServiceRunner::own_end() const
{
    if (state_.state == ServiceState::stopped) return std::nullopt;
    const bool has_ended = state_.last_exit && state_.last_exit->known;
    if (state_.state == ServiceState::failed && !has_ended) return ExitStatus{.code = 1};
    return state_.last_exit;
}

// While a hook ran, somebody may have asked for something else.
void ServiceRunner::follow(const RestartDecision& decision, const std::string& why)
{
    using Verdict = RestartDecision::Verdict;
    if (state_.stop_requested) return finish(ServiceState::stopped, "");
    if (start_now_) return start_by_hand();
    // Not before the hook: a supervisor that dies meanwhile leaves it to be done again.
    state_.attempts = decision.history.attempts;
    if (decision.verdict == Verdict::restart) return back_off(decision);
    if (decision.verdict == Verdict::finished) return finish(ServiceState::finished, "");
    const std::string count = ", given up after " + std::to_string(state_.attempts) + " restarts";
    run_last_hook(Hook::on_give_up, [this, reason = why + (decision.verdict == Verdict::gave_up ? count : "")] {
        if (state_.stop_requested) return finish(ServiceState::stopped, "");
        if (start_now_) return start_by_hand();
        finish(ServiceState::failed, reason);
    });
}

void ServiceRunner::back_off(const RestartDecision& decision)
{
    remove_pid_file(state_.last_exit_pid);
    // Nothing of it is left: the number may be anybody's by the time of a stop.
    main_.reset();
    ++state_.restarts;
    state_.next_start = std::chrono::system_clock::now() + decision.delay;
    set_state(ServiceState::backing_off);
    tell_later(next_step_, decision.delay, &ServiceRunner::launch);
    if (!start_answers_.empty()) answer_all(start_answers_, Reply{.error = early_exit()});
    output_.hang_up();
}

// Nobody else is known to have sent that signal.
bool ServiceRunner::killed_for_memory(const ExitStatus& exit) const
{
    return memory_kills_ > 0 && exit.signalled && exit.code == SIGKILL;
}

// With the error that it has told before.
std::string ServiceRunner::end_text(const ExitStatus& exit) const
{
    if (killed_for_memory(exit)) return "killed by the kernel for want of memory";
    return to_string(exit) + (state_.said_errno != 0 ? " (it told of: " + os::errno_text(state_.said_errno) + ")" : "");
}

// What those are told who waited for a launch that ended before it was up.
Error ServiceRunner::early_exit()
{
    const std::string end = "it ended at once: " + end_text(state_.last_exit.value_or(ExitStatus{.known = false}));
    const bool late = state_.fault == record::State::Fault::not_ready;
    Error failed = error(late ? ErrorCode::timed_out : ErrorCode::exited_early, "start", state_.reason.empty() ? end : state_.reason);
    failed.detail = output_.last_lines(told_lines);
    return failed;
}

// ---- on request ----------------------------------------------------------------------------------------------------------------------

void ServiceRunner::stop(Answer answer)
{
    if (answer) stop_answers_.push_back(std::move(answer));
    if (over_) return answer_all(stop_answers_, Reply{});
    if (state_.stop_requested && (stop_ != nullptr || hook_ != nullptr)) return;
    post_stop_due_ = post_stop_due_ && state_.state != ServiceState::backing_off;
    state_.stop_requested = true;
    host_.loop.cancel(std::exchange(next_step_, 0));
    stop_waiting();
    forking_ = false;
    first_start_ = false;
    set_state(ServiceState::stopping);
    answer_all(start_answers_, Reply{.error = error(ErrorCode::cancelled, "start", "a stop overtook the start")});
    // Else leftovers are being killed, or the last hooks run: what follows them is the end.
    if (stop_ == nullptr && hook_ == nullptr) begin_stop();
}

void ServiceRunner::begin_stop()
{
    if (!main_running_ || !state_.ready_since) return end_as_asked();
    run_hook(Hook::pre_stop, [this](const HookRun::Failure&) { end_as_asked(); });
}

void ServiceRunner::end_as_asked()
{
    StopSequence::Plan plan{.rules = assignment_.spec.stop};
    if (assignment_.stop_command) plan.command = command_plan(*assignment_.stop_command);
    end_processes(std::move(plan), [this](const StopReport& report) { stop_done(report); });
    if (hurried_) stop_->hurry();
}

void ServiceRunner::hurry()
{
    hurried_ = true;
    if (hook_ != nullptr) hook_->end();
    if (stop_ != nullptr) stop_->hurry();
}

void ServiceRunner::stop_done(const StopReport& report)
{
    killed_ = report.killed;
    if (report.service_is_over()) return run_post_stop([this] { finish(ServiceState::stopped, ""); });
    const Error error = stop_error(name(), report);
    host_.events.error(name(), error.message());
    state_.reason = error.cause;
    // What was killed ends sooner or later, and nothing follows it; what may not be signalled goes on as if nobody had asked.
    state_.stop_requested = !report.error || !main_running_;
    set_state(state_.stop_requested ? ServiceState::stopping : ServiceState::running);
    if (state_.stop_requested) tell_later(next_step_, survivor_pause, &ServiceRunner::look_at_survivors);
    answer_all(stop_answers_, Reply{.error = error});
}

void ServiceRunner::look_at_survivors()
{
    if (stop_ != nullptr) return;
    end_processes({.rules = assignment_.spec.stop, .kill_at_once = true}, [this](const StopReport& report) {
        if (report.service_is_over()) return run_post_stop([this] { finish(ServiceState::stopped, ""); });
        tell_later(next_step_, survivor_pause, &ServiceRunner::look_at_survivors);
        if (!stop_answers_.empty()) answer_all(stop_answers_, Reply{.error = stop_error(name(), report)});
    });
}

// ---- both ----------------------------------------------------------------------------------------------------------------------------

void ServiceRunner::end_processes(StopSequence::Plan plan, AfterEnd then)
{
    after_stop_ = std::move(then);
    plan.cgroup = cgroup_ ? &*cgroup_ : nullptr;
    stop_ = std::make_unique<StopSequence>(
        host_.loop, std::move(plan), main_running_ ? &*main_ : nullptr, [this] { return find_members(membership()); },
        [this](const StopReport& report) { sequence_done(report); });
    stop_->begin();
}

// What has ended is noted before anything follows from it: the exit status belongs into the record that says stopped.
void ServiceRunner::sequence_done(const StopReport& report)
{
    host_.collect();
    stop_report_ = report;
    if (exit_is_awaited()) return;
    conclude();
}

// Of a main process that is not this process's child, the end shows before its status comes; main_watch_ is on it.
bool ServiceRunner::exit_is_awaited() const
{
    if (main_watch_ == 0) return false;
    if (unseen_ != 0) return true;
    if (!main_running_) return false;
    const auto liveness = main_->liveness();
    return liveness && *liveness == os::Liveness::dead;
}

void ServiceRunner::conclude()
{
    const StopReport report = *std::exchange(stop_report_, std::nullopt);
    const AfterEnd then = std::exchange(after_stop_, nullptr);
    stop_.reset();
    then(report);
}

void ServiceRunner::finish(ServiceState state, std::string reason)
{
    host_.loop.cancel(std::exchange(next_step_, 0));
    host_.loop.cancel(std::exchange(main_watch_, 0));
    stop_waiting();
    hook_.reset();
    reload_.reset();
    remove_pid_file(main_ ? main_->pid() : state_.last_exit_pid);
    close_cgroup();
    if (!sockets_lent_) remove_socket_files(assignment_);
    // Before anybody is told: what it wrote until it ended is in its log.
    output_.drain();
    main_.reset();
    main_running_ = false;
    state_.stop_requested = false;
    state_.next_start.reset();
    state_.cgroup.clear();
    state_.reason = std::move(reason);
    set_state(state);
    const std::string words = std::string(to_string(state)) + (state_.reason.empty() ? "" : ": " + state_.reason);
    if (state == ServiceState::failed) {
        host_.events.error(name(), words);
    } else {
        host_.events.info(name(), words);
    }
    over_ = true;
    output_.hang_up();
    Reply told = started_reply();
    const bool done = state == ServiceState::finished && is(ServiceType::oneshot);
    if (!done) told.error = error(ErrorCode::failed, "start", words);
    answer_all(start_answers_, told);
    answer_all(stop_answers_, Reply{.killed = killed_});
    host_.one_over(place_);
}

}  // namespace steward::supervise
