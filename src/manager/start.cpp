// start: daemonize, supervise, wait until the service is up or has failed.
#include <algorithm>
#include <thread>

#include "manager/charge.hpp"
#include "manager/delegate.hpp"
#include "manager/start_alone.hpp"
#include "manager/verbs.hpp"
#include "os/message_socket.hpp"
#include "process/daemonize.hpp"
#include "supervise/client.hpp"
#include "supervise/keeper.hpp"
#include "supervise/limited_cgroup.hpp"
#include "supervise/service_output.hpp"

namespace steward::manager {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How long --no-wait waits to learn whether the program could be executed.
constexpr milliseconds launch_patience{2000};

// What one start may take, all in all: without --timeout as long as the supervisor takes, who keeps to the service file's limits.
class Patience {
  public:
    explicit Patience(const StartOptions& options)
    {
        if (!options.timeout) return;
        whole_ = std::chrono::ceil<milliseconds>(*options.timeout);
        deadline_ = Clock::now() + *whole_;
    }
    [[nodiscard]] milliseconds whole() const { return whole_.value_or(milliseconds::max()); }
    [[nodiscard]] std::optional<milliseconds> left() const
    {
        if (!whole_) return std::nullopt;
        return std::max(std::chrono::ceil<milliseconds>(deadline_ - Clock::now()), milliseconds(0));
    }
    [[nodiscard]] bool over() const { return left() == milliseconds(0); }

  private:
    std::optional<milliseconds> whole_;
    Clock::time_point deadline_;
};

// Somebody else's start is under way, or done. not_running: it is over, or being stopped.
Result<StartOutcome> join_start(const Located& located, const StartOptions& options, const Patience& patience)
{
    if (!options.wait) return StartOutcome{.already_running = true};
    auto reply = supervise::ask(*located.directory, supervise::Request::start, "start", located.name, patience.left());
    if (!reply) return fail(reply.error());
    if (reply->error) return fail(*reply->error);
    return StartOutcome{.already_running = true, .adopted = false, .main_pid = reply->main_pid};
}

struct KeeperTask {
    supervise::Assignment* assignment;
    supervise::KeeperOptions* options;
};

int keeper_body(void* task) noexcept
{
    auto* keeper = static_cast<KeeperTask*>(task);
    return supervise::keep(*keeper->assignment, std::move(*keeper->options));
}

// What is not up in time is not left behind.
Error overdue(const Located& located, const Patience& patience, milliseconds stop_limit)
{
    Error error{.code = ErrorCode::timed_out,
                .operation = "start",
                .object = located.name,
                .cause = "it was not up after " + std::to_string(patience.whole().count()) + " ms"};
    const auto stopped = supervise::ask(*located.directory, supervise::Request::stop, "stop", located.name, stop_limit);
    if (!stopped && stopped.error().code != ErrorCode::not_running) error.detail.push_back(stopped.error().message());
    if (stopped && stopped->error) error.detail.push_back(stopped->error->message());
    return error;
}

// The supervisor was killed before it could tell; the next one can.
Result<StartOutcome> ask_next_supervisor(const Located& located, const Patience& patience)
{
    auto outcome = join_start(located, {.wait = true, .timeout = {}}, patience);
    if (outcome) {
        outcome->already_running = false;
        return outcome;
    }
    if (outcome.error().code != ErrorCode::not_running) return outcome;
    const auto state = located.directory->read_state();
    const bool told = state && *state && !(*state)->reason.empty();
    return fail(Error{.code = ErrorCode::failed,
                      .operation = "start",
                      .object = located.name,
                      .cause = told ? (*state)->reason : "keeper and supervisor ended before it was up"});
}

Result<StartOutcome> await_report(const Located& located, os::BorrowedFd report, const StartOptions& options, const Patience& patience,
                                  milliseconds stop_limit)
{
    const auto limit = options.wait ? patience.left() : std::min(patience.left().value_or(launch_patience), launch_patience);
    auto received = os::receive_message(report, supervise::message_limit, limit);
    if (!received && received.error().code == ErrorCode::timed_out) {
        if (!options.wait) return StartOutcome{};
        return fail(overdue(located, patience, stop_limit));
    }
    if (!received) return fail(received.error());
    if (!*received) return ask_next_supervisor(located, patience);
    auto reply = supervise::decode_reply(**received);
    if (!reply) return fail(Error{.operation = "start", .object = located.name, .cause = "its supervisor sent no valid report"});
    if (reply->error) return fail(*reply->error);
    return StartOutcome{.already_running = false, .adopted = false, .main_pid = reply->main_pid};
}

// The channel's near end; the far end is the supervisor's.
Result<os::UniqueFd> make_pair(const Located& located, supervise::Assignment& assignment)
{
    auto control = os::listen_messages(assignment.directory->directory(), "control", 0600);
    if (!control) return fail(control.error());
    assignment.control = std::move(*control);
    auto channel = os::make_message_pair();
    if (!channel) return fail(channel.error());
    supervise::KeeperOptions keeper{.start_report = std::move(channel->write), .event_log = located.paths.event_log()};
    if (auto made = supervise::make_fifos(assignment); !made) return fail(made.error());
    std::vector<int> keep = {assignment.lease.get(), assignment.control.get(), assignment.directory->directory().get(),
                             keeper.start_report.get()};
    for (const os::BorrowedFd fifo : {assignment.fifos.out.borrow(), assignment.fifos.err.borrow()}) {
        if (fifo) keep.push_back(fifo.get());
    }
    for (const auto& held : assignment.sockets) {
        if (held.socket) keep.push_back(held.socket.get());
    }
    if (assignment.mailbox) keep.push_back(assignment.mailbox.get());
    if (assignment.notify) keep.push_back(assignment.notify.get());
    KeeperTask task{.assignment = &assignment, .options = &keeper};
    if (auto made = process::daemonize(keep, &keeper_body, &task); !made) return fail(made.error());
    return std::move(channel->read);
}

Result<StartOutcome> start_pair(const Located& located, supervise::Assignment assignment, os::UniqueFd verb_lock,
                                const StartOptions& options, const Patience& patience)
{
    const auto stop_limit = stop_patience(assignment.spec);
    const bool adopted = assignment.adopt;
    assignment.report_launch = !options.wait;
    auto report = make_pair(located, assignment);
    if (!report) {
        note_failed_start(assignment, report.error());
        return fail(report.error());
    }
    // The keeper holds the lease from here on: a stop may overtake this start.
    assignment.lease.reset();
    assignment.control.reset();
    verb_lock.reset();
    auto outcome = await_report(located, *report, options, patience, stop_limit);
    if (!outcome) {
        wait_for_keeper(located, keeper_patience);
        return outcome;
    }
    outcome->adopted = adopted;
    return outcome;
}

Result<StartOutcome> start_in_charge(Located& located, Charge charge, const StartOptions& options, const Patience& patience)
{
    if (!charge.preparation) {
        return StartOutcome{.already_running = true, .adopted = false, .main_pid = charge.judgement.main->pid()};
    }
    const ServiceSpec& spec = charge.preparation->spec;
    leave_session(located, spec.service.description);
    // Then this process is not the caller.
    if (leaves_session(located) && supervise::limits_of(spec.resources).any()) os::Cgroup::step_aside();
    auto assignment = assign(located, charge, {.descriptors = located.sockets, .files = supervise::SocketFiles::ours});
    if (!assignment) return fail(assignment.error());
    if (!assignment->spec.service.supervise) return start_alone(std::move(*assignment), options);
    return start_pair(located, std::move(*assignment), std::move(charge.verb_lock), options, patience);
}

}  // namespace

Result<StartOutcome> start(Located& located, const StartOptions& options)
{
    auto delegate = Delegate::of(located);
    if (!delegate) return fail(delegate.error());
    if (*delegate && !is_only_stewards(located, **delegate)) return (*delegate)->start(located, options);
    const Patience patience(options);
    for (;;) {
        auto charge = take_charge(located, "start", Foreground::no, patience.left());
        if (!charge) return fail(charge.error());
        if (*charge) return start_in_charge(located, std::move(**charge), options, patience);
        auto joined = join_start(located, options, patience);
        const bool ends = !joined && joined.error().code == ErrorCode::not_running;
        if (!ends || patience.over()) return joined;
        // Whoever held the lease has stopped the service, or is about to: one comes after the other.
        wait_for_keeper(located, patience.left().value_or(keeper_patience));
    }
}

}  // namespace steward::manager
