#include "supervise/service_runner.hpp"

#include <csignal>
#include <random>

#include "process/launcher.hpp"
#include "record/pid_file.hpp"
#include "supervise/reload.hpp"

namespace steward::supervise {

namespace {

constexpr unsigned told_lines = 10;
// How long the keeper may take to pass on the exit status of a main process that is seen to be gone.
constexpr std::chrono::milliseconds notice_wait{500};
constexpr std::chrono::milliseconds notice_pause{20};
constexpr std::chrono::seconds adopt_pause{1};

double random_fraction()
{
    static std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

ServiceRunner::ServiceRunner(RunnerHost& host, Assignment& assignment) : host_(host), assignment_(assignment)
{
    state_.supervise = true;
    state_.boot = assignment.boot;
    state_.pid_file = assignment.pid_file;
    state_.log_file = assignment.output.kind == OutputTarget::Kind::file ? assignment.output.log_file : "";
    state_.service_file = assignment.service_file;
    state_.file_digest = assignment.file_digest;
    state_.description = assignment.spec.service.description;
    state_.command = assignment.plan.argv;
    state_.keeper = host.keeper;
    state_.supervisor = host.supervisor;
}

ServiceRunner::~ServiceRunner()
{
    host_.loop.cancel(restart_timer_);
    host_.loop.cancel(main_watch_);
}

// ---- starting ------------------------------------------------------------------------------------------------------------------------

void ServiceRunner::begin(Answer first)
{
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
    restart_timer_ = 0;
    state_.next_start.reset();
    if (auto launched = try_launch(); !launched) return launch_failed(launched.error());
    launched_at_ = os::MonotonicClock::now();
    settle_ = std::make_unique<SettleWatch>(host_.loop, main_->pid(), [this] { settled(); });
}

Result<void> ServiceRunner::try_launch()
{
    auto output = Output::open(assignment_.output);
    if (!output) return fail(output.error());
    output_ = std::move(*output);
    cgroup_ = os::Cgroup::create(assignment_.cgroup_name);
    state_.cgroup = cgroup_ ? cgroup_->path() : "";
    set_state(ServiceState::starting);

    // From here until exec the child holds this lock: whoever takes over in between waits for its outcome instead of starting another.
    auto launch_lock = assignment_.directory.lock_launch();
    if (!launch_lock) return fail(launch_lock.error());
    if (auto cleared = assignment_.directory.clear_main(); !cleared) return fail(cleared.error());
    auto record = assignment_.directory.record_for_child();
    if (!record) return fail(record.error());

    auto& plan = assignment_.plan;
    output_->lend_to(plan);
    plan.record = *record;
    plan.launch_lock = *launch_lock;
    plan.cgroup = cgroup_ ? cgroup_->directory() : os::BorrowedFd();
    auto launched = process::launch(plan);
    if (!launched) return fail(launched.error());
    main_ = std::move(launched->process);
    main_running_ = true;
    if (!launched->in_cgroup) cgroup_.reset();
    state_.main_pidfs_inode = main_->identity().pidfs_inode;
    if (auto written = record::write_pid_file(assignment_.pid_file, main_->pid(), assignment_.owner); !written) {
        return fail(written.error());
    }
    return {};
}

// A launch that fails while somebody waits for the first start fails that start; later ones count as an end like any other.
void ServiceRunner::launch_failed(const Error& error)
{
    host_.events.error(name(), error.message());
    state_.reason = error.message();
    if (first_start_) return fail_start(error);
    state_.last_exit = ExitStatus{.known = false, .at = std::chrono::system_clock::now()};
    launched_at_ = os::MonotonicClock::now();
    if (main_running_) {
        // It runs, but its PID file could not be written: nothing is left half done.
        return kill_leftovers();
    }
    after_end();
}

void ServiceRunner::settled()
{
    settle_.reset();
    first_start_ = false;
    state_.reason.clear();
    set_state(ServiceState::running);
    answer_all(start_answers_, started_reply());
    host_.events.info(name(), "running, PID " + std::to_string(main_->pid()));
}

void ServiceRunner::fail_start(Error error)
{
    if (main_running_ || cgroup_) {
        // Told once nothing is left of it.
        stop_ = std::make_unique<StopSequence>(
            host_.loop, StopSequence::Plan{.rules = assignment_.spec.stop, .cgroup = cgroup_ ? &*cgroup_ : nullptr, .kill_at_once = true},
            main_running_ ? &*main_ : nullptr, finder(), [this, error = std::move(error)](const StopReport&) {
                finished_stop_ = std::move(stop_);
                host_.collect();
                answer_all(start_answers_, Reply{.error = error});
                finish(ServiceState::failed, state_.reason);
            });
        return stop_->begin();
    }
    answer_all(start_answers_, Reply{.error = std::move(error)});
    finish(ServiceState::failed, state_.reason);
}

// ---- carrying on ---------------------------------------------------------------------------------------------------------------------

void ServiceRunner::adopt(Answer first)
{
    // A launch that the last supervisor began is either over or has written its PID when this lock is free.
    if (auto waited = assignment_.directory.lock_launch(); !waited) return adopt_later(std::move(first), waited.error());
    const auto recorded = assignment_.directory.read();
    // What cannot be told is not taken for nothing: a second instance would be the price.
    if (!recorded) return adopt_later(std::move(first), recorded.error());
    if (!recorded->state) return launch_first(std::move(first));
    const auto& identity = recorded->main;
    auto main = identity ? os::ProcessRef::open(*identity) : Result<std::optional<os::ProcessRef>>(std::nullopt);
    if (!main) return adopt_later(std::move(first), main.error());
    if (first) start_answers_.push_back(std::move(first));
    const record::State before = *recorded->state;
    state_.state = before.state;
    state_.since = before.since;
    state_.restarts = before.restarts;
    state_.last_exit = before.last_exit;
    state_.last_exit_pid = before.last_exit_pid;
    state_.stop_requested = before.stop_requested;
    state_.cgroup = before.cgroup;
    if (!before.cgroup.empty()) cgroup_ = os::Cgroup::open(before.cgroup);
    host_.events.warning(name(), "a new supervisor carries on, PID " + std::to_string(host_.supervisor.pid));

    if (before.state == ServiceState::backing_off) {
        const auto now = std::chrono::system_clock::now();
        const auto due = before.next_start.value_or(now);
        state_.next_start = due;
        write_state();
        const auto delay = std::max(due - now, std::chrono::system_clock::duration::zero());
        restart_timer_ = host_.loop.after(std::chrono::duration_cast<Duration>(delay), [this] { launch(); });
        return answer_all(start_answers_, started_reply());
    }
    if (!identity || identity->pid == before.last_exit_pid) {
        // It was between two runs.
        if (before.stop_requested) return finish(ServiceState::stopped, "");
        return launch();
    }
    if (*main) return adopt_main(std::move(**main));
    // It ended unseen. Its status is on its way from the keeper, or lost with it.
    state_.last_exit_pid = identity->pid;
    main_watch_ = host_.loop.after(notice_wait, [this] {
        main_watch_ = 0;
        main_ended(ExitStatus{.known = false, .at = std::chrono::system_clock::now()});
    });
    main_pending_ = identity->pid;
}

void ServiceRunner::adopt_later(Answer first, const Error& error)
{
    host_.events.error(name(), error.message());
    restart_timer_ = host_.loop.after(adopt_pause, [this, first] { adopt(first); });
}

void ServiceRunner::adopt_main(os::ProcessRef main)
{
    main_ = std::move(main);
    main_running_ = true;
    state_.main_pidfs_inode = main_->identity().pidfs_inode;
    const auto started = os::start_time_to_clock(main_->identity().start_time);
    const auto ran = started ? std::chrono::system_clock::now() - *started : std::chrono::system_clock::duration::zero();
    launched_at_ = os::MonotonicClock::now() - ran;
    static_cast<void>(record::write_pid_file(assignment_.pid_file, main_->pid(), assignment_.owner));
    watch_foreign_main();
    if (state_.stop_requested) {
        answer_all(start_answers_, started_reply());
        return begin_stop();
    }
    set_state(ServiceState::running);
    answer_all(start_answers_, started_reply());
}

// The main process is the keeper's child or nobody's: SIGCHLD will not tell of it here.
void ServiceRunner::watch_foreign_main()
{
    auto watch = host_.loop.on_exit(*main_, [this] { ask_for_exit(os::MonotonicClock::now() + notice_wait); });
    if (watch) main_watch_ = *watch;
}

// The kernel tells the status of somebody else's child once that parent has reaped it (Linux 6.15), which may be a moment later.
void ServiceRunner::ask_for_exit(os::MonotonicClock::time_point until)
{
    main_watch_ = 0;
    if (!main_running_) return;
    if (auto told = main_->foreign_exit_status()) return main_ended(*told);
    if (os::MonotonicClock::now() >= until) return main_ended(ExitStatus{.known = false, .at = std::chrono::system_clock::now()});
    main_watch_ = host_.loop.after(notice_pause, [this, until] { ask_for_exit(until); });
}

// ---- ends ----------------------------------------------------------------------------------------------------------------------------

bool ServiceRunner::child_ended(std::int32_t pid, const ExitStatus& status)
{
    if (stop_ != nullptr && stop_->command_ended(pid, status)) return true;
    if (reload_ != nullptr && reload_->pid() == pid) {
        reload_->ended(status);
        return true;
    }
    const bool ours = (main_running_ && main_->pid() == pid) || (main_pending_ != 0 && main_pending_ == pid);
    if (ours) main_ended(status);
    return ours;
}

void ServiceRunner::main_ended(const ExitStatus& status)
{
    host_.loop.cancel(main_watch_);
    main_watch_ = 0;
    settle_.reset();
    state_.last_exit = status;
    state_.last_exit_pid = main_running_ ? main_->pid() : main_pending_;
    main_running_ = false;
    main_pending_ = 0;
    write_state();
    // A stop under way sees the end by its own watch, and goes on with the rest of the service.
    if (stop_ != nullptr) return;
    host_.events.info(name(), "PID " + std::to_string(state_.last_exit_pid) + " ended: " + to_string(status));
    if (state_.stop_requested) return begin_stop();
    kill_leftovers();
}

// The next run must not meet the children of the last.
void ServiceRunner::kill_leftovers()
{
    if (assignment_.spec.stop.mode == StopMode::main && !main_running_) return after_end();
    stop_ = std::make_unique<StopSequence>(
        host_.loop, StopSequence::Plan{.rules = assignment_.spec.stop, .cgroup = cgroup_ ? &*cgroup_ : nullptr, .kill_at_once = true},
        main_running_ ? &*main_ : nullptr, finder(), [this](const StopReport&) {
            finished_stop_ = std::move(stop_);
            host_.collect();
            if (state_.stop_requested) return finish(ServiceState::stopped, "");
            // A cgroup that was killed once is not born into again.
            if (cgroup_) static_cast<void>(cgroup_->remove());
            cgroup_.reset();
            after_end();
        });
    stop_->begin();
}

void ServiceRunner::after_end()
{
    const ExitStatus exit = state_.last_exit.value_or(ExitStatus{});
    if (first_start_) {
        state_.reason = "it ended at once: " + to_string(exit);
        return fail_start(Error{.code = ErrorCode::exited_early,
                                .operation = "start",
                                .object = name(),
                                .cause = state_.reason,
                                .detail = output_ ? output_->last_lines(told_lines) : std::vector<std::string>()});
    }
    const auto ran = std::chrono::duration_cast<Duration>(os::MonotonicClock::now() - launched_at_);
    const auto decision = decide(assignment_.spec.restart, exit, ran, history_, random_fraction());
    history_ = decision.history;
    using Verdict = RestartDecision::Verdict;
    const std::string why = state_.reason.empty() ? to_string(exit) : state_.reason;
    switch (decision.verdict) {
        case Verdict::restart: return back_off(decision);
        case Verdict::finished: return finish(ServiceState::finished, "");
        case Verdict::failed: return finish(ServiceState::failed, why);
        case Verdict::gave_up:
            return finish(ServiceState::failed, why + ", given up after " + std::to_string(history_.attempts) + " restarts");
    }
}

void ServiceRunner::back_off(const RestartDecision& decision)
{
    static_cast<void>(record::remove_pid_file(assignment_.pid_file, state_.last_exit_pid, assignment_.owner));
    ++state_.restarts;
    state_.next_start = std::chrono::system_clock::now() + decision.delay;
    set_state(ServiceState::backing_off);
    answer_all(start_answers_, started_reply());
    restart_timer_ = host_.loop.after(decision.delay, [this] { launch(); });
}

// ---- stopping ------------------------------------------------------------------------------------------------------------------------

void ServiceRunner::stop(Answer answer)
{
    if (answer) stop_answers_.push_back(std::move(answer));
    if (over_) return answer_all(stop_answers_, Reply{});
    if (state_.stop_requested) return;
    state_.stop_requested = true;
    host_.loop.cancel(restart_timer_);
    settle_.reset();
    answer_all(start_answers_,
               Reply{.error = Error{
                         .code = ErrorCode::cancelled, .operation = "start", .object = name(), .cause = "a stop overtook the start"}});
    first_start_ = false;
    set_state(ServiceState::stopping);
    if (stop_ == nullptr) begin_stop();  // else leftovers are being killed: what follows them is the end
}

void ServiceRunner::begin_stop()
{
    if (assignment_.stop_command && main_running_) {
        assignment_.stop_command->environment.push_back("MAINPID=" + std::to_string(main_->pid()));
        if (output_) output_->lend_to(*assignment_.stop_command);
    }
    StopSequence::Plan plan{.rules = assignment_.spec.stop,
                            .command = assignment_.stop_command ? &*assignment_.stop_command : nullptr,
                            .cgroup = cgroup_ ? &*cgroup_ : nullptr};
    stop_ = std::make_unique<StopSequence>(host_.loop, std::move(plan), main_running_ ? &*main_ : nullptr, finder(),
                                           [this](const StopReport& report) { stop_done(report); });
    stop_->begin();
}

void ServiceRunner::hurry()
{
    if (stop_ != nullptr) stop_->hurry();
}

void ServiceRunner::stop_done(const StopReport& report)
{
    finished_stop_ = std::move(stop_);
    host_.collect();
    if (report.survivors.empty() && !report.error) {
        for (const auto& answer : std::exchange(stop_answers_, {})) stopped_answers_.push_back(answer);
        killed_ = report.killed;
        return finish(ServiceState::stopped, "");
    }
    state_.stop_requested = false;
    set_state(main_running_ ? ServiceState::running : ServiceState::stopping);
    const Error error = report.survivors.empty() ? *report.error : survivors_error(report);
    host_.events.error(name(), error.message());
    answer_all(stop_answers_, Reply{.error = error});
}

Error ServiceRunner::survivors_error(const StopReport& report) const
{
    Error error{.code = ErrorCode::survivors, .operation = "stop", .object = name(), .cause = "", .next_step = "", .os_errno = 0};
    for (const auto& survivor : report.survivors) {
        const auto stat = os::read_stat(survivor.pid);
        const bool known = stat && *stat;
        error.detail.push_back("PID " + std::to_string(survivor.pid) +
                               (known ? " (" + (*stat)->command + "), state " + std::string(1, (*stat)->state) : ""));
    }
    const auto count = report.survivors.size();
    error.cause = std::to_string(count) + (count == 1 ? " process survived" : " processes survived") + " SIGKILL";
    return error;
}

void ServiceRunner::finish(ServiceState state, std::string reason)
{
    host_.loop.cancel(restart_timer_);
    host_.loop.cancel(main_watch_);
    settle_.reset();
    reload_.reset();
    static_cast<void>(record::remove_pid_file(assignment_.pid_file, state_.last_exit_pid, assignment_.owner));
    if (cgroup_) static_cast<void>(cgroup_->remove());
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
    answer_all(start_answers_, Reply{.error = Error{.code = ErrorCode::failed, .operation = "start", .object = name(), .cause = words}});
    answer_all(stop_answers_, Reply{});
    answer_all(stopped_answers_, Reply{.killed = killed_});
    host_.one_over();
}

// ---- while it runs -------------------------------------------------------------------------------------------------------------------

void ServiceRunner::reload(Answer answer)
{
    const auto refuse = [&](Error error) {
        host_.events.warning(name(), error.message());
        if (answer) answer(Reply{.error = std::move(error)});
    };
    if (auto way = check_reload(assignment_.spec); !way) return refuse(way.error());
    if (!main_running_ || state_.stop_requested) {
        return refuse(Error{.code = ErrorCode::not_running, .operation = "reload", .object = name(), .cause = "it is not running"});
    }
    if (assignment_.spec.reload.signal != 0) {
        auto sent = reload_by_signal(assignment_.spec, *main_);
        if (!sent) return refuse(sent.error());
        host_.events.info(name(), "reload: SIG" + signal_name(assignment_.spec.reload.signal) + " sent");
        if (answer) answer(started_reply());
        return;
    }
    if (reload_ != nullptr) {
        return refuse(Error{.code = ErrorCode::failed, .operation = "reload", .object = name(), .cause = "a reload is under way"});
    }
    run_reload_command(std::move(answer));
}

void ServiceRunner::run_reload_command(Answer answer)
{
    process::LaunchPlan plan = *assignment_.reload_command;
    plan.environment.push_back("MAINPID=" + std::to_string(main_->pid()));
    if (output_) output_->lend_to(plan);
    set_state(ServiceState::reloading);
    auto run = CommandRun::start(host_.loop, plan, reload_command_timeout, [this, answer](const CommandRun::Outcome& outcome) {
        // Destroyed from the loop: this runs inside one of its callbacks.
        host_.loop.after(Duration(0), [this] { reload_.reset(); });
        if (state_.state == ServiceState::reloading) set_state(ServiceState::running);
        Reply reply = started_reply();
        if (!outcome.succeeded()) reply.error = reload_command_error(assignment_.spec, outcome);
        if (reply.error) host_.events.warning(name(), reply.error->message());
        if (answer) answer(reply);
    });
    if (run) {
        reload_ = std::move(*run);
        return;
    }
    set_state(ServiceState::running);
    if (answer) answer(Reply{.error = run.error()});
}

void ServiceRunner::wait_started(Answer answer)
{
    if (state_.state == ServiceState::starting && first_start_) {
        start_answers_.push_back(std::move(answer));
        return;
    }
    answer(started_reply());
}

void ServiceRunner::pass_on(int signal)
{
    if (main_running_) static_cast<void>(main_->signal(signal));
}

// ---- the record ----------------------------------------------------------------------------------------------------------------------

void ServiceRunner::set_state(ServiceState state)
{
    state_.state = state;
    state_.since = std::chrono::system_clock::now();
    write_state();
}

void ServiceRunner::write_state()
{
    if (auto written = assignment_.directory.write_state(state_); !written) host_.events.error(name(), written.error().message());
}

void ServiceRunner::answer_all(std::vector<Answer>& answers, const Reply& reply)
{
    for (const auto& answer : std::exchange(answers, {})) answer(reply);
}

Membership ServiceRunner::membership() const
{
    return Membership{.cgroup = cgroup_ ? &*cgroup_ : nullptr,
                      .main = main_running_ ? &*main_ : nullptr,
                      .session = main_ && !main_running_ ? main_->pid() : 0,
                      .tree_root = host_.tree_root,
                      .not_members = {host_.supervisor.pid}};
}

StopSequence::FindMembers ServiceRunner::finder() const
{
    return [this] { return find_members(membership()); };
}

Reply ServiceRunner::started_reply() const
{
    return Reply{.error = std::nullopt, .main_pid = main_running_ ? main_->pid() : 0};
}

}  // namespace steward::supervise
