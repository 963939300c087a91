#include "manager/start_alone.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <list>

#include "manager/verbs.hpp"
#include "process/launcher.hpp"
#include "record/pid_file.hpp"
#include "supervise/forked_main.hpp"
#include "supervise/limited_cgroup.hpp"
#include "supervise/output.hpp"
#include "supervise/readiness.hpp"
#include "supervise/restart_policy.hpp"
#include "supervise/stop_sequence.hpp"

namespace steward::manager {

namespace {

constexpr unsigned told_lines = 10;

// Tells of the end of processes that are found below this one, and of those that are found then.
class Deaths {
  public:
    using Find = std::function<std::vector<std::int32_t>()>;
    Deaths(os::EventLoop& loop, Find find, std::function<void()> told) : loop_(loop), find_(std::move(find)), told_(std::move(told))
    {
        watch();
    }
    ~Deaths()
    {
        for (const auto& watched : watched_) loop_.cancel(watched.id);
    }
    Deaths(const Deaths&) = delete;
    Deaths& operator=(const Deaths&) = delete;

  private:
    struct Watched {
        os::ProcessRef process;
        os::EventLoop::Id id = 0;
    };
    void watch()
    {
        for (const std::int32_t pid : find_()) {
            if (std::ranges::any_of(watched_, [&](const Watched& watched) { return watched.process.pid() == pid; })) continue;
            auto process = os::ProcessRef::open_pid(pid);
            if (!process || !*process) continue;
            auto& watched = watched_.emplace_back(Watched{.process = std::move(**process)});
            if (auto id = loop_.on_exit(watched.process, [this] { watch(), told_(); })) watched.id = *id;
        }
    }

    os::EventLoop& loop_;
    Find find_;
    std::function<void()> told_;
    std::list<Watched> watched_;
};

class LoneStart {
  public:
    explicit LoneStart(supervise::Assignment assignment) : assignment_(std::move(assignment)), state_(supervise::initial_state(assignment_))
    {
    }

    Result<StartOutcome> run(const StartOptions& options);

  private:
    Result<void> open_output();
    Result<void> run_hook(supervise::Hook hook);
    Result<process::Launched> launch();
    Result<void> find_main();
    Result<void> await_ready();
    Result<StartOutcome> await_end();
    Result<void> note_running();
    [[nodiscard]] bool is_new_below(std::int32_t pid) const;
    [[nodiscard]] std::vector<std::int32_t> below() const;
    [[nodiscard]] bool is(ServiceType type) const { return assignment_.spec.service.type == type; }
    [[nodiscard]] Error error(ErrorCode code, std::string cause) const;
    Error ended_at_once(const ExitStatus& exit);
    [[nodiscard]] Error late(const std::string& complaint) const;
    tl::unexpected<Error> give_up(Error error);

    supervise::Assignment assignment_;
    record::State state_;
    std::optional<supervise::Output> output_;
    std::optional<os::Cgroup> cgroup_;
    std::optional<os::ProcessRef> main_;
    bool in_cgroup_ = false;
    os::MonotonicClock::time_point launched_;
    std::optional<Duration> limit_;
    std::vector<os::ProcessIdentity> strangers_;  // below this process before the service was
};

Result<StartOutcome> LoneStart::run(const StartOptions& options)
{
    limit_ = options.timeout ? options.timeout : assignment_.spec.start_limit();
    if (auto prepared = run_hook(supervise::Hook::pre_start); !prepared) return give_up(prepared.error());
    auto launched = launch();
    if (!launched) return give_up(launched.error());
    main_ = std::move(launched->process);
    in_cgroup_ = launched->in_cgroup;
    if (!in_cgroup_ && supervise::limits_of(assignment_.spec.resources).any()) return give_up(supervise::no_cgroup(assignment_.spec));
    if (is(ServiceType::oneshot)) return await_end();
    if (is(ServiceType::forking)) {
        if (auto found = find_main(); !found) return give_up(found.error());
    } else if (auto written = record::write_pid_file(assignment_.pid_file, main_->pid(), assignment_.owner); !written) {
        return give_up(written.error());
    }
    const bool is_ready = is(ServiceType::forking) && assignment_.spec.ready.is_default();
    // Nobody else would run the hook.
    const bool waits = options.wait || !assignment_.spec.hooks.post_start.empty();
    auto ready = waits && !is_ready ? await_ready() : Result<void>();
    if (!ready) return give_up(ready.error());
    if (auto told = run_hook(supervise::Hook::post_start); !told) return give_up(told.error());
    if (auto noted = note_running(); !noted) return give_up(noted.error());
    return StartOutcome{.already_running = false, .adopted = false, .main_pid = main_->pid()};
}

Result<void> LoneStart::open_output()
{
    auto output = supervise::Output::open(assignment_.output);
    if (!output) return fail(output.error());
    output_ = std::move(*output);
    return {};
}

Result<void> LoneStart::run_hook(supervise::Hook hook)
{
    supervise::Commands commands = assignment_.hooks[hook];
    if (commands.empty()) return {};
    if (!output_) {
        if (auto opened = open_output(); !opened) return opened;
    }
    for (auto& command : commands) {
        if (main_) command.environment.push_back("MAINPID=" + std::to_string(main_->pid()));
        output_->lend_to(command);
        supervise::tell(command, hook, {.service = assignment_.spec.name, .last_exit = state_.last_exit});
    }
    auto failure = supervise::run_hook(hook, std::move(commands), assignment_.spec.hooks.timeout);
    if (!failure) return fail(failure.error());
    if (*failure) return fail(error(ErrorCode::exited_early, **failure));
    return {};
}

Result<process::Launched> LoneStart::launch()
{
    if (auto opened = open_output(); !opened) return fail(opened.error());
    const std::array own{os::self_pid()};
    auto group = supervise::limited_cgroup(assignment_.cgroup_name, assignment_.spec, own);
    if (!group) return fail(group.error());
    cgroup_ = std::move(*group);
    state_.cgroup = cgroup_ ? cgroup_->path() : "";
    if (auto written = assignment_.directory->write_state(state_); !written) return fail(written.error());

    auto launch_lock = assignment_.directory->lock_launch();
    if (!launch_lock) return fail(launch_lock.error());
    auto record = assignment_.directory->record_for_child();
    if (!record) return fail(record.error());
    output_->lend_to(assignment_.plan);
    // What ends soon, and whose end tells something, stays this process's child until then; what it leaves falls to this process too.
    assignment_.plan.detach = is(ServiceType::simple);
    if (!assignment_.plan.detach) {
        for (const std::int32_t pid : os::process_tree(os::self_pid())) {
            const auto stat = os::read_stat(pid);
            if (stat && *stat) strangers_.push_back({.pid = pid, .start_time = (*stat)->start_time});
        }
        if (auto made = os::become_subreaper(); !made) return fail(made.error());
    }
    if (is(ServiceType::forking)) static_cast<void>(record::remove_pid_file(assignment_.pid_file, 0, assignment_.owner));
    assignment_.plan.record = *record;
    assignment_.plan.launch_lock = *launch_lock;
    assignment_.plan.cgroup = cgroup_ ? cgroup_->directory() : os::BorrowedFd();
    launched_ = os::MonotonicClock::now();
    return process::launch(assignment_.plan);
}

bool LoneStart::is_new_below(std::int32_t pid) const
{
    const auto stat = os::read_stat(pid);
    if (!stat || !*stat || (*stat)->state == 'Z' || !supervise::descends_from(pid, os::self_pid())) return false;
    return std::ranges::none_of(
        strangers_, [&](const os::ProcessIdentity& stranger) { return stranger.pid == pid && stranger.start_time == (*stat)->start_time; });
}

std::vector<std::int32_t> LoneStart::below() const
{
    auto pids = os::process_tree(os::self_pid());
    std::erase_if(pids, [&](std::int32_t pid) { return pid == os::self_pid() || !is_new_below(pid); });
    return pids;
}

// Waits for the launched process to end, then for the PID file of the one that stays.
Result<void> LoneStart::find_main()
{
    auto loop = os::EventLoop::create();
    if (!loop) return fail(loop.error());
    bool is_late = false;
    if (limit_) loop->at(launched_ + *limit_, [&] { is_late = true, loop->quit(); });
    auto ended = loop->on_exit(*main_, [&] { loop->quit(); });
    if (!ended) return fail(ended.error());
    if (auto ran = loop->run(); !ran) return fail(ran.error());
    if (is_late) return fail(late("the launched process has not ended"));
    const auto parent = os::reap_blocking(main_->pid());
    if (!parent) return fail(parent.error());
    if (parent->status.signalled || parent->status.code != 0) return fail(ended_at_once(parent->status));

    Result<os::ProcessRef> found = fail(Error{});
    supervise::ForkedMain search(*loop,
                                 {.pid_file = assignment_.pid_file,
                                  .owner = assignment_.owner,
                                  .is_member = [this](std::int32_t pid) { return is_new_below(pid); },
                                  .anybody_left = [this] { return !below().empty(); }},
                                 [&](Result<os::ProcessRef> told) {
                                     found = std::move(told);
                                     loop->quit();
                                 });
    const Deaths deaths(
        *loop, [this] { return below(); }, [&] { search.look_again(); });
    if (auto ran = loop->run(); !ran) return fail(ran.error());
    if (is_late) return fail(late(search.complaint()));
    if (!found) return fail(error(found.error().code, found.error().cause));
    main_ = std::move(*found);
    return assignment_.directory->write_main(main_->identity());
}

Result<void> LoneStart::await_ready()
{
    std::optional<process::LaunchPlan> command;
    if (assignment_.ready_command) {
        command = *assignment_.ready_command;
        command->environment.push_back("MAINPID=" + std::to_string(main_->pid()));
        output_->lend_to(*command);
    }
    const auto found = supervise::wait_until_ready(*main_, assignment_.spec.ready, std::move(command), launched_, limit_);
    if (!found) return fail(found.error());
    if (found->outcome == supervise::Readiness::late) return fail(late(found->complaint));
    if (found->outcome == supervise::Readiness::ended) return fail(ended_at_once(exit_of_stranger(*main_)));
    state_.ready_since = std::chrono::system_clock::now();
    return {};
}

// A oneshot is started when it has ended.
Result<StartOutcome> LoneStart::await_end()
{
    const auto limit = limit_ ? std::optional(std::chrono::ceil<std::chrono::milliseconds>(*limit_)) : std::nullopt;
    const auto ended = main_->wait(limit);
    if (!ended) return give_up(ended.error());
    if (!*ended) return give_up(late(""));
    const auto reaped = os::reap_blocking(main_->pid());
    if (!reaped) return give_up(reaped.error());
    const Error failure = ended_at_once(reaped->status);
    if (supervise::classify(reaped->status, assignment_.spec.restart) != supervise::Ending::clean) return give_up(failure);
    static_cast<void>(give_up(Error{}));
    state_.state = ServiceState::finished;
    if (auto written = assignment_.directory->write_state(state_); !written) return fail(written.error());
    return StartOutcome{};
}

Result<void> LoneStart::note_running()
{
    state_.state = ServiceState::running;
    state_.since = std::chrono::system_clock::now();
    state_.main_pidfs_inode = main_->identity().pidfs_inode;
    if (!in_cgroup_) {
        if (cgroup_) static_cast<void>(cgroup_->remove());
        state_.cgroup.clear();
    }
    return assignment_.directory->write_state(state_);
}

Error LoneStart::error(ErrorCode code, std::string cause) const
{
    return Error{.code = code,
                 .operation = "start",
                 .object = assignment_.spec.name,
                 .cause = std::move(cause),
                 .detail = output_->last_lines(told_lines)};
}

Error LoneStart::ended_at_once(const ExitStatus& exit)
{
    state_.last_exit = exit;
    state_.last_exit_pid = main_->pid();
    return error(ErrorCode::exited_early, "it ended at once: " + to_string(exit));
}

Error LoneStart::late(const std::string& complaint) const
{
    return error(ErrorCode::timed_out,
                 "it was not ready after " + supervise::limit_text(*limit_) + (complaint.empty() ? "" : " (" + complaint + ")"));
}

// Ends what a failed start has left, and says so in the record.
tl::unexpected<Error> LoneStart::give_up(Error error)
{
    // What has fallen to this process since the launch is the service's.
    const bool mine = !assignment_.plan.detach && main_;
    const supervise::Membership where{.cgroup = cgroup_ ? &*cgroup_ : nullptr,
                                      .main = main_ ? &*main_ : nullptr,
                                      .tree_root = mine ? os::self_pid() : 0,
                                      .not_members = {os::self_pid()},
                                      .strangers = strangers_};
    if (where.cgroup != nullptr || main_) {
        static_cast<void>(
            supervise::stop_members({.rules = assignment_.spec.stop, .cgroup = where.cgroup, .kill_at_once = true}, where.main, where));
    }
    if (main_) static_cast<void>(record::remove_pid_file(assignment_.pid_file, main_->pid(), assignment_.owner));
    if (cgroup_) static_cast<void>(cgroup_->remove());
    static_cast<void>(assignment_.directory->clear_main());
    state_.state = ServiceState::failed;
    state_.since = std::chrono::system_clock::now();
    state_.reason = error.cause;
    state_.cgroup.clear();
    static_cast<void>(assignment_.directory->write_state(state_));
    return fail(std::move(error));
}

}  // namespace

Result<StartOutcome> start_alone(supervise::Assignment assignment, const StartOptions& options)
{
    return LoneStart(std::move(assignment)).run(options);
}

}  // namespace steward::manager
