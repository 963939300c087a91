#include "process/launcher.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "os/error.hpp"
#include "os/low_descriptors.hpp"
#include "os/signal_guard.hpp"
#include "os/spawn.hpp"
#include "process/child.hpp"
#include "process/program.hpp"

namespace steward::process {

namespace {

// The highest descriptor that the child puts something at.
int highest_target(const LaunchPlan& plan)
{
    int highest = 2;
    for (const auto& passed : plan.passed) highest = std::max(highest, passed.as);
    return highest;
}

// Both ends above every target.
Result<os::Pipe> make_high_pipe(int highest)
{
    auto pipe = os::make_pipe();
    if (!pipe) return pipe;
    for (os::UniqueFd* end : {&pipe->read, &pipe->write}) {
        if (end->get() > highest) continue;
        auto copy = os::duplicate(*end, highest + 1);
        if (!copy) return fail(std::move(copy.error()));
        *end = std::move(*copy);
    }
    return pipe;
}

// Descriptors as the child needs them: none where it puts another, unless it is that very one. -1 for none. Copies are needed only for a
// caller whose own 0, 1 or 2 are closed, who lends one of them as another, or who passes some on; and for a child that takes over no other
// descriptors than the low ones.
class Descriptors {
  public:
    enum class Of { all, low };
    Descriptors(int highest, Of which) : highest_(highest), which_(which) {}

    Result<int> above_targets(os::BorrowedFd fd)
    {
        if (fd && which_ == Of::low) return low_.lend(fd);
        if (!fd || fd.get() > highest_) return fd.get();
        auto copy = os::duplicate(fd, highest_ + 1);
        if (!copy) return fail(std::move(copy.error()));
        copies_.push_back(std::move(*copy));
        return copies_.back().get();
    }

    Result<int> as_stream(os::BorrowedFd fd, int target) { return fd.get() == target ? target : above_targets(fd); }

  private:
    int highest_;
    Of which_;
    os::LowDescriptors low_;
    std::vector<os::UniqueFd> copies_;
};

std::vector<char*> pointers_to(const std::vector<std::string>& strings)
{
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));  // execve(2) writes to neither
    pointers.push_back(nullptr);
    return pointers;
}

// A variable with room for a number that only the child knows.
class ListenPid {
  public:
    void take_place_in(std::vector<char*>& environment)
    {
        std::ranges::copy(prefix, text_.begin());
        const auto place = std::ranges::find_if(
            environment, [](const char* variable) { return variable != nullptr && std::string_view(variable).starts_with(prefix); });
        if (place != environment.end()) *place = text_.data();
    }
    [[nodiscard]] char* value() { return text_.data() + prefix.size(); }

  private:
    static constexpr std::string_view prefix = "LISTEN_PID=";
    std::array<char, prefix.size() + longest_pid + 1> text_{};
};

Result<void> lend_descriptors(const LaunchPlan& plan, Descriptors& descriptors, ChildTask& task)
{
    const auto lend = [](Result<int> fd, int& into) {
        if (fd) into = *fd;
        return fd;
    };
    for (const auto& fd :
         {lend(descriptors.as_stream(plan.standard_input, 0), task.standard_input),
          lend(descriptors.as_stream(plan.standard_output, 1), task.standard_output),
          lend(descriptors.as_stream(plan.standard_error, 2), task.standard_error),
          lend(descriptors.above_targets(plan.record), task.record), lend(descriptors.above_targets(plan.launch_lock), task.launch_lock),
          lend(descriptors.above_targets(plan.cgroup), task.cgroup)}) {
        if (!fd) return fail(fd.error());
    }
    return {};
}

Result<std::vector<int>> lend_passed(const LaunchPlan& plan, Descriptors& descriptors)
{
    std::vector<int> lent;
    for (const auto& passed : plan.passed) {
        auto fd = descriptors.above_targets(passed.fd);
        if (!fd) return fail(std::move(fd.error()));
        lent.push_back(*fd);
    }
    return lent;
}

// What the child leaves open until exec: what it reports through, the lock, and what the program is to have.
std::vector<int> kept_by(const LaunchPlan& plan, const ChildTask& task)
{
    std::vector<int> keep{task.report};
    if (task.launch_lock >= 0) keep.push_back(task.launch_lock);
    for (const auto& passed : plan.passed) keep.push_back(passed.as);
    std::sort(keep.begin(), keep.end());
    return keep;
}

std::string object_of(const LaunchPlan& plan)
{
    return plan.service.empty() ? os::quoted(plan.program) : plan.service;
}

Error error_of(const LaunchPlan& plan, std::string cause, ErrorCode code = ErrorCode::failed, int os_errno = 0)
{
    return Error{.code = code,
                 .operation = plan.operation,
                 .object = object_of(plan),
                 .cause = std::move(cause),
                 .next_step = {},
                 .os_errno = os_errno};
}

// What failed on the way, as the cause of the launch's failure.
Error within(const LaunchPlan& plan, const Error& inner)
{
    return error_of(plan, inner.message(), inner.code, inner.os_errno);
}

// What the stage was done to.
std::string detail_of(const LaunchPlan& plan, const Report& report)
{
    switch (report.stage) {
        case Stage::working_directory: return " " + os::quoted(plan.working_directory);
        case Stage::root_directory: return " " + os::quoted(plan.root_directory);
        case Stage::limits: return report.limit < plan.limits.size() ? " " + plan.limits[report.limit].name : "";
        case Stage::exec: return " " + os::quoted(plan.program);
        default: return {};
    }
}

Error stage_error(const LaunchPlan& plan, const Report& report)
{
    const bool is_exec = report.stage == Stage::exec;
    const bool no_program = is_exec && (report.error == ENOENT || report.error == EACCES || report.error == ENOTDIR);
    const bool denied = report.error == EPERM || report.error == EACCES;
    const ErrorCode code = no_program ? ErrorCode::program_missing : denied ? ErrorCode::not_permitted : ErrorCode::failed;
    const std::string why =
        is_exec ? why_not_executed(outside_of_root(plan.root_directory, plan.program), report.error) : os::errno_text(report.error);
    return error_of(plan, "cannot " + std::string(describe(report.stage)) + detail_of(plan, report) + ": " + why, code, report.error);
}

// The last report is the one that counts: it is written on the way to exec, and once more should exec fail.
Result<Report> read_report(const LaunchPlan& plan, os::BorrowedFd from)
{
    const auto bytes = os::read_all(from, 4 * sizeof(Report));
    if (!bytes)
        return fail(error_of(plan, "cannot hear from the child: " + bytes.error().cause, ErrorCode::failed, bytes.error().os_errno));
    if (bytes->size() < sizeof(Report)) return fail(error_of(plan, "the process was killed before it could execute the program"));
    Report report;
    std::memcpy(&report, bytes->data() + bytes->size() - sizeof report, sizeof report);
    if (report.error != 0) return fail(stage_error(plan, report));
    return report;
}

// The program of a detached launch: a zombie at worst, as long as its own parent waits.
Result<os::ProcessRef> open_detached(const LaunchPlan& plan, const Report& report)
{
    auto process = os::ProcessRef::open({.pid = report.pid, .start_time = report.start_time});
    if (process && *process) return std::move(**process);
    const Error error = process ? Error{.operation = "find", .object = "the process", .cause = "it has gone"} : process.error();
    return fail(within(plan, error));
}

struct Birth {
    os::Child child;
    os::UniqueFd report;   // to read from
    os::UniqueFd release;  // to be closed when a detached program is held
};

// Not a child that becomes somebody else: the kernel would take the memory that both have for that user's, and steward's /proc from it. Not
// one that forks again: its parent has to go on for it to end.
bool may_borrow_memory(const LaunchPlan& plan)
{
    return !plan.identity && !plan.detach;
}

Result<Birth> give_birth(const LaunchPlan& plan)
{
    const int highest = highest_target(plan);
    auto report = make_high_pipe(highest);
    if (!report) return fail(std::move(report.error()));
    auto release = plan.detach ? make_high_pipe(highest) : Result<os::Pipe>(os::Pipe{});
    if (!release) return fail(std::move(release.error()));
    const auto argv = pointers_to(plan.argv);
    auto environment = pointers_to(plan.environment);
    ListenPid listen_pid{};
    if (plan.tells_listen_pid) listen_pid.take_place_in(environment);
    ChildTask task{.plan = &plan, .argv = argv.data(), .environment = environment.data(), .parent = os::self_pid()};
    if (plan.tells_listen_pid) task.listen_pid = listen_pid.value();
    task.release = release->read.get();
    const bool low = os::LowDescriptors::kept() && !plan.detach && plan.passed.empty();
    if (low) task.shared_below = os::LowDescriptors::end();
    Descriptors descriptors(highest, low ? Descriptors::Of::low : Descriptors::Of::all);
    const auto reports = descriptors.above_targets(report->write);
    if (!reports) return fail(reports.error());
    task.report = *reports;
    if (auto lent = lend_descriptors(plan, descriptors, task); !lent) return fail(std::move(lent.error()));
    const auto passed = lend_passed(plan, descriptors);
    if (!passed) return fail(passed.error());
    task.passed = *passed;
    const auto keep = kept_by(plan, task);
    task.keep = keep;
    const os::SignalGuard no_signals;
    auto spawned = os::spawn(&run_child, &task,
                             {.cgroup = plan.cgroup,
                              .born_in_cgroup = &task.born_in_cgroup,
                              .borrows_memory = may_borrow_memory(plan),
                              .borrows_descriptors = low});
    if (!spawned) return fail(std::move(spawned.error()));
    return Birth{.child = std::move(spawned->child), .report = std::move(report->read), .release = std::move(release->write)};
}

}  // namespace

std::string_view describe(Stage stage)
{
    switch (stage) {
        case Stage::none: return "begin";
        case Stage::fork: return "create a process";
        case Stage::own_descriptors: return "part from the descriptors of its supervisor";
        case Stage::session: return "leave the session";
        case Stage::second_fork: return "create the second process";
        case Stage::signals: return "reset the signals";
        case Stage::standard_streams: return "redirect the standard streams";
        case Stage::descriptors: return "pass a descriptor on";
        case Stage::start_time: return "read the process's start time from /proc";
        case Stage::record: return "write the record";
        case Stage::oom_score: return "set oom-score-adjust";
        case Stage::nice: return "set nice";
        case Stage::limits: return "set the limit";
        case Stage::affinity: return "set cpu-affinity";
        case Stage::root_directory: return "change to the root directory";
        case Stage::working_directory: return "change to the working directory";
        case Stage::capabilities: return "set the capabilities";
        case Stage::groups: return "set the supplementary groups";
        case Stage::gid: return "change the group";
        case Stage::uid: return "change the user";
        case Stage::prove_drop: return "prove that the privileges are gone";
        case Stage::no_new_privileges: return "set no-new-privileges";
        case Stage::parent_death: return "tie it to its supervisor's life";
        case Stage::exec: return "execute";
    }
    return "begin";
}

Result<Launched> launch(const LaunchPlan& plan)
{
    auto birth = give_birth(plan);
    if (!birth) return fail(within(plan, birth.error()));
    const std::int32_t pid = birth->child.pid;
    const auto report = read_report(plan, birth->report);
    auto process = !report       ? Result<os::ProcessRef>(tl::unexpected(report.error()))
                   : plan.detach ? open_detached(plan, *report)
                                 : os::ProcessRef::adopt_child(pid, std::move(birth->child.pidfd));
    if (!process) {
        os::abandon(pid);
        return fail(std::move(process.error()));
    }
    if (plan.detach) {
        birth->release.reset();
        static_cast<void>(os::reap_blocking(pid));
    }
    return Launched{.process = std::move(*process), .in_cgroup = report->in_cgroup};
}

}  // namespace steward::process
