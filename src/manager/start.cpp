// start and restart: daemonize, supervise, wait until the service is up or has failed.
#include <algorithm>

#include "manager/preparation.hpp"
#include "manager/verbs.hpp"
#include "os/message_socket.hpp"
#include "process/daemonize.hpp"
#include "process/launcher.hpp"
#include "record/pid_file.hpp"
#include "supervise/client.hpp"
#include "supervise/keeper.hpp"
#include "supervise/output.hpp"
#include "supervise/settle.hpp"
#include "supervise/stop_sequence.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

constexpr std::chrono::seconds default_timeout{90};
constexpr unsigned told_lines = 10;

std::chrono::milliseconds patience(const StartOptions& options)
{
    return std::chrono::ceil<std::chrono::milliseconds>(options.timeout.value_or(default_timeout));
}

Error timed_out(const std::string& name, std::chrono::milliseconds after)
{
    return Error{.code = ErrorCode::timed_out,
                 .operation = "start",
                 .object = name,
                 .cause = "it was not up after " + std::to_string(after.count()) + " ms"};
}

// Somebody else's start is under way, or done.
Result<StartOutcome> join_start(const Located& located, const StartOptions& options)
{
    if (!options.wait) return StartOutcome{.already_running = true};
    auto reply = supervise::ask(*located.directory, supervise::Request::wait_started, "start", located.name, patience(options));
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

Result<StartOutcome> await_report(const Located& located, os::BorrowedFd report, const StartOptions& options)
{
    const auto limit = patience(options);
    auto received = os::receive_message(report, supervise::message_limit, limit);
    if (!received && received.error().code == ErrorCode::timed_out) {
        // What is not up in time is not left behind.
        static_cast<void>(supervise::ask(*located.directory, supervise::Request::stop, "start", located.name, std::nullopt));
        return fail(timed_out(located.name, limit));
    }
    if (!received) return fail(received.error());
    // The supervisor was killed before it could tell; the next one can.
    if (!*received) {
        auto outcome = join_start(located, options);
        if (outcome) outcome->already_running = false;
        return outcome;
    }
    auto reply = supervise::decode_reply(**received);
    if (!reply) return fail(Error{.operation = "start", .object = located.name, .cause = "its supervisor sent no valid report"});
    if (reply->error) return fail(*reply->error);
    return StartOutcome{.already_running = false, .adopted = false, .main_pid = reply->main_pid};
}

Result<StartOutcome> start_pair(Located& located, supervise::Assignment assignment, os::UniqueFd verb_lock, const StartOptions& options)
{
    auto control = os::listen_messages(assignment.directory.directory(), "control", 0600);
    if (!control) return fail(control.error());
    assignment.control = std::move(*control);
    auto channel = os::make_message_pair();
    if (!channel) return fail(channel.error());
    supervise::KeeperOptions keeper{.start_report = std::move(channel->write), .event_log = located.paths.event_log()};
    std::vector<int> keep = {assignment.lease.get(), assignment.control.get(), assignment.directory.directory().get(),
                             keeper.start_report.get()};
    std::sort(keep.begin(), keep.end());
    const bool adopted = assignment.adopt;
    KeeperTask task{.assignment = &assignment, .options = &keeper};
    if (auto made = process::daemonize(keep, &keeper_body, &task); !made) return fail(made.error());

    // The keeper holds the lease from here on: a stop may overtake this start.
    keeper.start_report.reset();
    assignment.lease.reset();
    assignment.control.reset();
    verb_lock.reset();
    if (!options.wait) return StartOutcome{};
    auto outcome = await_report(located, channel->read, options);
    if (!outcome) {
        if (auto judgement = judge(located)) wait_for_keeper(*judgement);
        return outcome;
    }
    outcome->adopted = adopted;
    return outcome;
}

// ---- supervise = false ----------------------------------------------------------------------------------------------------------------

// Ends what a failed start has left, with a loop of its own.
void end_leftovers(const std::optional<os::Cgroup>& cgroup, const os::ProcessRef* main, const ServiceSpec& spec)
{
    auto loop = os::EventLoop::create();
    if (!loop) return;
    const supervise::Membership where{.cgroup = cgroup ? &*cgroup : nullptr, .main = main};
    supervise::StopSequence sequence(
        *loop, {.rules = spec.stop, .cgroup = where.cgroup, .kill_at_once = true}, main,
        [&] { return supervise::find_members(where); }, [&](const supervise::StopReport&) { loop->quit(); });
    sequence.begin();
    static_cast<void>(loop->run());
    if (cgroup) static_cast<void>(cgroup->remove());
}

record::State initial_state(const supervise::Assignment& assignment, const std::string& cgroup)
{
    record::State state;
    state.state = ServiceState::starting;
    state.since = std::chrono::system_clock::now();
    state.boot = assignment.boot;
    state.supervise = false;
    state.cgroup = cgroup;
    state.pid_file = assignment.pid_file;
    state.log_file = assignment.output.kind == supervise::OutputTarget::Kind::file ? assignment.output.log_file : "";
    state.service_file = assignment.service_file;
    state.file_digest = assignment.file_digest;
    state.description = assignment.spec.service.description;
    state.command = assignment.plan.argv;
    return state;
}

Result<process::Launched> launch_alone(supervise::Assignment& assignment, const std::optional<os::Cgroup>& cgroup,
                                       const supervise::Output& output)
{
    auto launch_lock = assignment.directory.lock_launch();
    if (!launch_lock) return fail(launch_lock.error());
    if (auto cleared = assignment.directory.clear_main(); !cleared) return fail(cleared.error());
    auto record = assignment.directory.record_for_child();
    if (!record) return fail(record.error());
    output.lend_to(assignment.plan);
    assignment.plan.detach = true;
    assignment.plan.record = *record;
    assignment.plan.launch_lock = *launch_lock;
    if (cgroup) {
        assignment.plan.cgroup = cgroup->directory();
    }
    return process::launch(assignment.plan);
}

Result<StartOutcome> start_alone(supervise::Assignment assignment)
{
    const std::string name = assignment.spec.name;
    auto output = supervise::Output::open(assignment.output);
    if (!output) return fail(output.error());
    const auto cgroup = os::Cgroup::create(assignment.cgroup_name);
    record::State state = initial_state(assignment, cgroup ? cgroup->path() : "");
    if (auto written = assignment.directory.write_state(state); !written) return fail(written.error());

    const auto give_up = [&](Error error, const os::ProcessRef* main) -> tl::unexpected<Error> {
        end_leftovers(cgroup, main, assignment.spec);
        static_cast<void>(assignment.directory.clear_main());
        state.state = ServiceState::failed;
        state.since = std::chrono::system_clock::now();
        state.reason = error.cause;
        state.cgroup.clear();
        static_cast<void>(assignment.directory.write_state(state));
        return fail(std::move(error));
    };
    auto launched = launch_alone(assignment, cgroup, *output);
    if (!launched) return give_up(launched.error(), nullptr);
    const os::ProcessRef& main = launched->process;
    if (auto written = record::write_pid_file(assignment.pid_file, main.pid(), assignment.owner); !written) {
        return give_up(written.error(), &main);
    }
    auto settled = supervise::wait_until_settled(main);
    if (!settled) return give_up(settled.error(), &main);
    if (!*settled) {
        static_cast<void>(record::remove_pid_file(assignment.pid_file, main.pid(), assignment.owner));
        state.last_exit = main.foreign_exit_status().value_or(ExitStatus{.known = false, .at = std::chrono::system_clock::now()});
        state.last_exit_pid = main.pid();
        return give_up(Error{.code = ErrorCode::exited_early,
                             .operation = "start",
                             .object = name,
                             .cause = "it ended at once: " + to_string(*state.last_exit),
                             .detail = output->last_lines(told_lines)},
                       nullptr);
    }
    state.state = ServiceState::running;
    state.since = std::chrono::system_clock::now();
    state.main_pidfs_inode = main.identity().pidfs_inode;
    if (!launched->in_cgroup) state.cgroup.clear();
    if (auto written = assignment.directory.write_state(state); !written) return give_up(written.error(), &main);
    return StartOutcome{.already_running = false, .adopted = false, .main_pid = main.pid()};
}

}  // namespace

Result<StartOutcome> start(Located& located, const StartOptions& options)
{
    if (located.directory) {
        auto held = located.directory->lease_held();
        if (held && *held) return join_start(located, options);
    }
    auto prepared = prepare(located, Foreground::no, MakeDirectories::yes);
    if (!prepared) return fail(prepared.error());
    auto directory = record::ServiceDirectory::create(located.paths.runtime, located.name);
    if (!directory) return fail(directory.error());
    auto again = record::ServiceDirectory::open(located.paths.runtime, located.name);
    if (!again) return fail(again.error());
    located.directory = std::move(*again);
    auto verb_lock = directory->lock_verb(patience(options));
    if (!verb_lock) return fail(verb_lock.error());
    auto lease = directory->take_lease();
    if (!lease) return fail(lease.error());
    if (!*lease) {
        verb_lock->reset();
        return join_start(located, options);
    }
    auto judgement = judge(located, prepared->spec.service.pid_file, Lease::ours);
    if (!judgement) return fail(judgement.error());
    if (judgement->verdict == Verdict::refused || judgement->verdict == Verdict::undeterminable) {
        return fail(refusal(*judgement, "start", located.name));
    }
    const bool alive = judgement->verdict == Verdict::alone;
    const bool supervise = prepared->spec.service.supervise;
    if (alive && !judgement->state->supervise) {
        return StartOutcome{.already_running = true, .adopted = false, .main_pid = judgement->main->pid()};
    }
    if (alive) {
        // Keeper and supervisor were killed: what runs is taken over as it was started, not as the file says now.
        auto started = load_started(located);
        if (!started) return fail(started.error());
        prepared->spec = std::move(*started);
    } else if (judgement->verdict == Verdict::dead) {
        static_cast<void>(record::remove_pid_file(judgement->pid_file, 0, os::effective_uid()));
    }
    auto assignment = assign(std::move(*prepared), std::move(*directory), std::move(**lease));
    if (!assignment) return fail(assignment.error());
    assignment->adopt = alive;
    if (!supervise && !alive) return start_alone(std::move(*assignment));
    return start_pair(located, std::move(*assignment), std::move(*verb_lock), options);
}

Result<StartOutcome> restart(Located& located, const StartOptions& options)
{
    // The new file is proven good before the old service is stopped.
    if (auto prepared = prepare(located, Foreground::no, MakeDirectories::no); !prepared) return fail(prepared.error());
    if (auto stopped = stop(located); !stopped) return fail(stopped.error());
    return start(located, options);
}

}  // namespace steward::manager
