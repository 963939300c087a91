#include "supervise/service_runner.hpp"

#include <algorithm>

#include "record/pid_file.hpp"
#include "supervise/reload.hpp"

namespace steward::supervise {

ServiceRunner::ServiceRunner(RunnerHost& host, Assignment& assignment, std::size_t place)
    : host_(host),
      assignment_(assignment),
      place_(place),
      state_(initial_state(assignment)),
      output_(host.loop, host.events, assignment, host.terminal)
{
    state_.supervise = true;
    state_.keeper = host.keeper;
    state_.supervisor = host.supervisor;
}

ServiceRunner::~ServiceRunner()
{
    host_.loop.cancel(next_step_);
    host_.loop.cancel(main_watch_);
    host_.loop.cancel(start_limit_);
    host_.loop.cancel(stopping_limit_);
    host_.loop.cancel(notify_watch_);
}

bool ServiceRunner::at_rest() const
{
    const bool settled = state_.state == ServiceState::running || state_.state == ServiceState::backing_off;
    const bool busy = hook_ != nullptr || stop_ != nullptr || reload_ != nullptr || !start_answers_.empty() || !stop_answers_.empty();
    return settled && !busy && !state_.stop_requested && !over_;
}

bool ServiceRunner::release()
{
    const bool had = static_cast<bool>(assignment_.control);
    output_.close();
    host_.loop.cancel(std::exchange(notify_watch_, 0));
    assignment_.notify.reset();
    assignment_.sockets.clear();
    assignment_.control.reset();
    assignment_.lease.reset();
    return had;
}

bool ServiceRunner::child_ended(std::int32_t pid, const ExitStatus& status)
{
    if (stop_ != nullptr && stop_->command_ended(pid, status)) return true;
    if (ready_ != nullptr && ready_->command_ended(pid, status)) return true;
    if (health_ != nullptr && health_->command_ended(pid, status)) return true;
    if (hook_ != nullptr && hook_->command_ended(pid, status)) return true;
    if (reload_ != nullptr && reload_->pid() == pid) {
        reload_->ended(status);
        return true;
    }
    if (output_.child_ended(pid, status)) return true;
    const bool ours = (main_running_ && main_->pid() == pid) || (unseen_ != 0 && unseen_ == pid);
    if (ours) main_gone(status);
    if (forked_ != nullptr) forked_->look_again();
    return ours;
}

// ---- requests ------------------------------------------------------------------------------------------------------------------------

void ServiceRunner::start(Answer answer)
{
    const bool ending = over_ || state_.stop_requested;
    if (ending) return answer(Reply{.error = error(ErrorCode::not_running, "start", "it is being stopped")});
    const bool starting = state_.state == ServiceState::starting;
    const bool up = state_.state == ServiceState::running || state_.state == ServiceState::reloading;
    if (main_running_ && up) return answer(started_reply());
    start_answers_.push_back(std::move(answer));
    if (state_.state == ServiceState::backing_off) return launch();
    start_now_ = !starting;
}

void ServiceRunner::reload(Answer answer)
{
    const auto refuse = [&](Error error) {
        host_.events.warning(name(), error.message());
        if (answer) answer(Reply{.error = std::move(error)});
    };
    if (auto way = check_reload(assignment_.spec); !way) return refuse(way.error());
    if (!main_running_ || state_.stop_requested) return refuse(error(ErrorCode::not_running, "reload", "it is not running"));
    if (assignment_.spec.reload.signal != 0) {
        auto sent = reload_by_signal(assignment_.spec, *main_);
        if (!sent) return refuse(sent.error());
        host_.events.info(name(), "reload: SIG" + signal_name(assignment_.spec.reload.signal) + " sent");
        if (answer) answer(started_reply());
        return;
    }
    if (reload_ != nullptr) return refuse(error(ErrorCode::failed, "reload", "a reload is under way"));
    run_reload_command(answer);
}

void ServiceRunner::run_reload_command(const Answer& answer)
{
    const ServiceState before = state_.state;
    if (before == ServiceState::running) set_state(ServiceState::reloading);
    const auto done = [this, answer](const CommandRun::Outcome& outcome) {
        reload_.reset();
        if (state_.state == ServiceState::reloading && main_running_) set_state(ServiceState::running);
        Reply reply = started_reply();
        if (!outcome.succeeded()) reply.error = reload_command_error(assignment_.spec, outcome);
        if (reply.error) host_.events.warning(name(), reply.error->message());
        if (answer) answer(reply);
    };
    auto run = CommandRun::start(host_.loop, command_plan(*assignment_.reload_command), reload_command_timeout, done);
    if (run) {
        reload_ = std::move(*run);
        return;
    }
    if (before == ServiceState::running) set_state(before);
    host_.events.warning(name(), run.error().message());
    if (answer) answer(Reply{.error = run.error()});
}

void ServiceRunner::rotate_logs(const Answer& answer)
{
    tend_logs("rotate the log of", &ServiceOutput::rotate, answer);
}

void ServiceRunner::reopen_logs(const Answer& answer)
{
    tend_logs("reopen the log of", &ServiceOutput::reopen, answer);
}

void ServiceRunner::tend_logs(const char* operation, Result<void> (ServiceOutput::*deed)(), const Answer& answer)
{
    Reply reply = started_reply();
    if (assignment_.output.kind != OutputTarget::Kind::file) {
        reply.error = error(ErrorCode::unsupported, operation, "its output goes into no file");
    } else if (auto done = (output_.*deed)(); !done) {
        reply.error = done.error();
    }
    answer(reply);
}

std::vector<os::BorrowedFd> ServiceRunner::lend_sockets()
{
    std::vector<os::BorrowedFd> lent;
    for (const HeldSocket& held : assignment_.sockets) {
        if (held.socket) lent.push_back(held.socket);
    }
    sockets_lent_ = !lent.empty();
    return lent;
}

void ServiceRunner::hang_up()
{
    if (auto reopened = output_.reopen(); !reopened) tell_trouble(reopened.error());
    if (check_reload(assignment_.spec)) reload({});
}

void ServiceRunner::pass_on(int signal)
{
    if (main_running_) static_cast<void>(main_->signal(signal));
}

// ---- the record ----------------------------------------------------------------------------------------------------------------------

// Once: what is tried again and again for want of descriptors, memory or room would fill the log with one line.
void ServiceRunner::tell_trouble(const Error& error)
{
    std::string message = error.message();
    if (std::ranges::find(told_, message) != told_.end()) return;
    host_.events.error(name(), message);
    told_.push_back(std::move(message));
}

void ServiceRunner::set_state(ServiceState state)
{
    state_.state = state;
    state_.since = std::chrono::system_clock::now();
    static_cast<void>(write_state());
    if (host_.state_changed) host_.state_changed(place_);
}

std::string ServiceRunner::state_text() const
{
    return name() + ": " + std::string(to_string(state_.state)) + (state_.reason.empty() ? "" : ", " + state_.reason);
}

Result<void> ServiceRunner::write_state()
{
    if (!assignment_.directory) return {};
    auto written = assignment_.directory->write_state(state_);
    if (!written) tell_trouble(written.error());
    return written;
}

Result<void> ServiceRunner::write_pid_file() const
{
    if (assignment_.pid_file.empty()) return {};
    return record::write_pid_file(assignment_.pid_file, main_->pid(), assignment_.owner);
}

// Only if it names this process, and never for 0, which would be anybody's.
void ServiceRunner::remove_pid_file(std::int32_t pid) const
{
    if (assignment_.pid_file.empty() || pid == 0) return;
    static_cast<void>(record::remove_pid_file(assignment_.pid_file, pid, assignment_.owner));
}

// ---- what all parts use --------------------------------------------------------------------------------------------------------------

process::LaunchPlan ServiceRunner::command_plan(const process::LaunchPlan& plan) const
{
    process::LaunchPlan command = plan;
    if (main_running_) command.environment.push_back("MAINPID=" + std::to_string(main_->pid()));
    output_.lend_to(command);
    return command;
}

void ServiceRunner::tell_later(os::EventLoop::Id& timer, Duration delay, void (ServiceRunner::*what)())
{
    host_.loop.cancel(timer);
    timer = host_.loop.after(delay, [this, &timer, what] {
        timer = 0;
        (this->*what)();
    });
}

void ServiceRunner::answer_all(std::vector<Answer>& answers, const Reply& reply)
{
    for (const auto& answer : std::exchange(answers, {})) answer(reply);
}

Error ServiceRunner::error(ErrorCode code, const char* operation, std::string cause) const
{
    return Error{.code = code, .operation = operation, .object = name(), .cause = std::move(cause), .next_step = {}};
}

Membership ServiceRunner::membership() const
{
    auto not_members = output_.children();
    not_members.push_back(host_.supervisor.pid);
    return Membership{.cgroup = cgroup_ ? &*cgroup_ : nullptr,
                      .main = main_ ? &*main_ : nullptr,
                      .tree_root = host_.tree_root,
                      .not_members = std::move(not_members),
                      .strangers = host_.strangers};
}

Reply ServiceRunner::started_reply() const
{
    return Reply{.error = std::nullopt, .main_pid = main_running_ ? main_->pid() : 0};
}

}  // namespace steward::supervise
