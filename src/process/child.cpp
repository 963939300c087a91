#include "process/child.hpp"

#include <array>
#include <cerrno>
#include <span>

#include "os/child_calls.hpp"
#include "os/main_block.hpp"

namespace steward::process {

namespace call = os::child;

namespace {

// Where the child has got to; what it reports if the next step fails.
struct Progress {
    const ChildTask& task;
    Report report;

    // Notes the step that `error` belongs to. False when it failed.
    bool step(Stage stage, int error) noexcept
    {
        report.stage = stage;
        report.error = error;
        return error == 0;
    }
};

int redirect_standard_streams(const ChildTask& task) noexcept
{
    const bool inherit = task.plan->inherit_output;
    int null = -1;
    const auto put = [&null](int from, int to) noexcept {
        if (from >= 0) return call::duplicate_to(from, to);
        if (null < 0) {
            if (const int error = call::open_null(&null); error != 0) return error;
        }
        return call::duplicate_to(null, to);
    };
    // A closed stream would be taken by the first file that the program opens.
    const auto keep = [&put](int fd) noexcept { return call::duplicate_to(fd, fd) == 0 ? 0 : put(-1, fd); };

    if (const int error = put(task.standard_input, 0); error != 0) return error;
    if (const int error = inherit ? keep(1) : put(task.standard_output, 1); error != 0) return error;
    if (inherit) return keep(2);
    return put(task.standard_error >= 0 ? task.standard_error : task.standard_output, 2);
}

// All that the privileges of the parent are needed for, and that limits itself may come in the way of.
bool set_resources(Progress& progress) noexcept
{
    const LaunchPlan& plan = *progress.task.plan;
    if (plan.oom_score_adjust && !progress.step(Stage::oom_score, call::set_oom_score_adjust(*plan.oom_score_adjust))) return false;
    if (plan.nice && !progress.step(Stage::nice, call::set_nice(*plan.nice))) return false;
    for (std::size_t i = 0; i < plan.limits.size(); ++i) {
        const auto& [resource, name, limit] = plan.limits[i];
        progress.report.limit = static_cast<std::uint16_t>(i);
        if (!progress.step(Stage::limits, call::set_rlimit(resource, limit.soft, limit.hard))) return false;
    }
    return plan.cpu_affinity.empty() || progress.step(Stage::affinity, call::set_affinity(plan.cpu_affinity));
}

bool change_place(Progress& progress) noexcept
{
    const LaunchPlan& plan = *progress.task.plan;
    call::set_umask(plan.umask);
    if (!plan.root_directory.empty() && !progress.step(Stage::root_directory, call::change_root(plan.root_directory.c_str()))) return false;
    return progress.step(Stage::working_directory, call::change_directory(plan.working_directory.c_str()));
}

bool change_identity(Progress& progress) noexcept
{
    const LaunchPlan& plan = *progress.task.plan;
    // The bounding set first: dropping from it takes CAP_SETPCAP, which is gone after setuid.
    if (plan.bounding_capabilities && !progress.step(Stage::capabilities, call::bound_capabilities(*plan.bounding_capabilities))) {
        return false;
    }
    if (plan.identity) {
        const auto& [uid, gid, groups] = *plan.identity;
        if (plan.ambient_capabilities != 0 && uid != 0 && !progress.step(Stage::capabilities, call::keep_capabilities_over_setuid())) {
            return false;
        }
        // Groups, then gid, then uid: after each the right to do the ones before it is gone.
        if (!progress.step(Stage::groups, call::drop_groups(groups))) return false;
        if (!progress.step(Stage::gid, call::set_gid(gid))) return false;
        if (!progress.step(Stage::uid, call::set_uid(uid))) return false;
        if (!progress.step(Stage::prove_drop, call::prove_dropped(uid, gid))) return false;
    }
    if (plan.ambient_capabilities != 0 && !progress.step(Stage::capabilities, call::raise_ambient(plan.ambient_capabilities))) return false;
    return !plan.no_new_privileges || progress.step(Stage::no_new_privileges, call::no_new_privileges());
}

// The record before the limits: RLIMIT_FSIZE holds for it too. The start time before chroot: it comes from /proc.
bool tell_identity(Progress& progress) noexcept
{
    const ChildTask& task = progress.task;
    progress.report.pid = call::pid();
    if (task.record < 0 && !task.plan->detach) return true;
    if (!call::own_start_time(&progress.report.start_time)) return progress.step(Stage::start_time, ENOENT);
    if (task.record < 0) return true;
    const auto block = os::MainBlock::of(progress.report.pid, progress.report.start_time);
    return progress.step(Stage::record, call::write_bytes_at(task.record, &block, sizeof block, os::MainBlock::offset));
}

void tell_listen_pid(const ChildTask& task) noexcept
{
    if (task.listen_pid == nullptr) return;
    std::array<char, longest_pid> digits{};
    std::size_t count = 0;
    for (std::int32_t rest = call::pid(); rest > 0 && count < digits.size(); rest /= 10)
        digits[count++] = static_cast<char>('0' + rest % 10);
    char* to = task.listen_pid;
    while (count > 0) *to++ = digits[--count];
    *to = '\0';
}

// After the change of identity, which would clear it.
bool tie_to_parent(Progress& progress) noexcept
{
    const int signal = progress.task.plan->parent_death_signal;
    return signal == 0 || progress.step(Stage::parent_death, call::set_parent_death_signal(signal, progress.task.parent));
}

bool prepare(Progress& progress) noexcept
{
    const ChildTask& task = progress.task;
    if (!progress.step(Stage::signals, call::reset_signals())) return false;
    if (!progress.step(Stage::standard_streams, redirect_standard_streams(task))) return false;
    for (std::size_t i = 0; i < task.passed.size(); ++i) {
        if (!progress.step(Stage::descriptors, call::duplicate_to(task.passed[i], task.plan->passed[i].as))) return false;
    }
    if (!tell_identity(progress)) return false;
    tell_listen_pid(task);
    progress.report.in_cgroup = task.cgroup >= 0 && (task.born_in_cgroup || call::join_cgroup(task.cgroup) == 0);
    // Before limits and root change: where close_range(2) is missing, what is open is learned from /proc or from the limit.
    call::close_all_but(task.keep);
    return set_resources(progress) && change_place(progress) && change_identity(progress) && tie_to_parent(progress);
}

void execute(Progress& progress) noexcept
{
    const ChildTask& task = progress.task;
    progress.step(Stage::exec, 0);
    if (call::write_bytes(task.report, &progress.report, sizeof progress.report) != 0) call::exit(1);
    progress.step(Stage::exec, call::execute(task.plan->program.c_str(), task.argv, task.environment));
}

// The first child of a detached launch stays until the parent holds the second: its number cannot be anybody else's before then. It lets
// go of everything, the report pipe above all, whose end means exec.
int wait_for_release(const ChildTask& task) noexcept
{
    call::close_all_but(std::span<const int>(&task.release, 1));
    return call::wait_for_end(task.release);
}

}  // namespace

int run_child(void* child_task) noexcept
{
    const ChildTask& task = *static_cast<const ChildTask*>(child_task);
    const LaunchPlan& plan = *task.plan;
    Progress progress{task, {}};
    bool ready = task.shared_below == 0 || progress.step(Stage::own_descriptors, call::own_descriptors_below(task.shared_below));
    if (ready && (plan.new_session || plan.detach)) ready = progress.step(Stage::session, call::new_session());
    if (ready && plan.detach) {
        std::int32_t grandchild = 0;
        ready = progress.step(Stage::second_fork, call::fork_again(&grandchild));
        if (ready && grandchild != 0) return wait_for_release(task);
    }
    if (ready && prepare(progress)) execute(progress);
    call::write_bytes(task.report, &progress.report, sizeof progress.report);
    return 1;
}

}  // namespace steward::process
