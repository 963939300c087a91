// status: read from the record and /proc, changing nothing.
#include "init/journal.hpp"
#include "log/log_file.hpp"
#include "manager/delegate.hpp"
#include "manager/leftovers.hpp"
#include "manager/renew.hpp"
#include "manager/verbs.hpp"
#include "os/cgroup.hpp"
#include "os/file.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

void add_sum(ServiceStatus& status, const std::vector<std::int32_t>& pids)
{
    std::uint64_t memory = 0;
    std::uint64_t ticks = 0;
    std::uint64_t tasks = 0;
    bool memory_known = false;
    for (const std::int32_t pid : pids) {
        const auto stat = os::read_stat(pid);
        if (!stat || !*stat) continue;
        ticks += (*stat)->cpu_ticks;
        tasks += (*stat)->tasks;
        if (status.memory) continue;
        if (const auto resident = os::resident_memory(pid)) {
            memory += *resident;
            memory_known = true;
        }
    }
    if (memory_known) status.memory = memory;
    if (!status.cpu) status.cpu = os::ticks_to_duration(ticks);
    status.tasks = tasks;
}

// What its cgroup tells, and the rest by each of its processes: those in the cgroup, else the main process and its descendants.
void add_usage(ServiceStatus& status, const Judgement& judgement)
{
    std::vector<std::int32_t> pids;
    if (const auto cgroup = recorded_cgroup(judgement)) {
        const os::CgroupUsage used = cgroup->usage();
        status.memory_kills += used.memory_kills;
        if (!judgement.main) return;
        if (auto members = cgroup->processes()) pids = std::move(*members);
        status.memory = used.memory;
        status.memory_peak = used.memory_peak;
        status.memory_limit = used.memory_limit;
        status.tasks_limit = used.tasks_limit;
        status.cpu = used.cpu;
    }
    if (status.main_pid == 0) return;
    if (pids.empty()) pids = os::process_tree(static_cast<std::int32_t>(status.main_pid));
    add_sum(status, pids);
}

void add_record(ServiceStatus& status, const record::State& state)
{
    status.description = state.description;
    status.supervised = state.supervise;
    status.state = state.state;
    status.since = state.since;
    status.restarts = state.restarts;
    status.memory_kills = state.memory_kills;
    status.last_exit = state.last_exit;
    status.command = state.command;
    status.service_file = state.service_file;
    status.log_file = state.log_file;
    status.reason = state.reason;
    status.next_start = state.next_start;
    status.status_text = state.status_text;
    if (state.health != record::State::Health::unknown) status.healthy = state.health == record::State::Health::good;
}

// The file that the service was started from, compared by what stat(2) tells.
void compare_file(ServiceStatus& status, const Located& located, const record::State& state)
{
    if (!located.sources) {
        status.service_file_gone = !state.service_file.empty();
        return;
    }
    status.service_file = located.sources->file;
    const auto stamps = config::stamp(*located.sources);
    status.service_file_changed = state.file_digest != 0 && (!stamps || config::digest(*stamps) != state.file_digest);
}

bool up(ServiceState state)
{
    return state == ServiceState::running || state == ServiceState::starting || state == ServiceState::reloading ||
           state == ServiceState::stopping;
}

void add_verdict(ServiceStatus& status, const Judgement& judgement)
{
    switch (judgement.verdict) {
        case Verdict::supervised:
            status.supervisor_alive = true;
            status.supervisor_pid = judgement.state->supervisor.pid;
            status.keeper_pid = judgement.state->keeper.pid;
            status.lsb_code = up(status.state) ? 0 : 3;
            return;
        case Verdict::alone:
            status.state = ServiceState::running;
            status.lsb_code = 0;
            if (status.supervised) status.reason = "keeper and supervisor are gone; start adopts it";
            return;
        case Verdict::launching:
            status.state = ServiceState::starting;
            status.lsb_code = 0;
            return;
        case Verdict::dead:
            status.state = ServiceState::dead;
            status.lsb_code = judgement.pid_file_exists ? 1 : 2;
            status.reason = judgement.reason;
            return;
        case Verdict::stopped: status.lsb_code = 3; return;
        case Verdict::refused:
        case Verdict::undeterminable:
            status.state = ServiceState::unknown;
            status.lsb_code = 4;
            status.reason = judgement.reason;
            return;
    }
}

// Nothing was ever started: all that is known is what the file says.
Result<ExpectedPidFile> add_file(ServiceStatus& status, const Located& located)
{
    status.service_file = located.sources ? located.sources->file : "";
    auto loaded = load_current(located);
    if (!loaded) return fail(loaded.error());
    const ServiceSpec& spec = loaded->spec;
    status.description = spec.service.description;
    status.command = spec.service.command;
    status.supervised = spec.service.supervise;
    const bool in_file = spec.log.output == LogOutput::automatic || spec.log.output == LogOutput::file;
    if (in_file) status.log_file = spec.log.file.empty() ? located.paths.log_file(spec.name) : spec.log.file;
    return expected_pid_file(spec);
}

void add_init_system(ServiceStatus& status, const Located& located, const Judgement& judgement, const StatusOptions& options)
{
    auto delegate = Delegate::of(located, is_stewards(judgement) ? init::Ask::boot : init::Ask::everything);
    if (delegate && *delegate) return (*delegate)->add_to(status, located, judgement, options);
    // It has a unit that nobody tells about; what steward itself runs is known all the same.
    if (delegate || is_stewards(judgement)) return;
    status.state = ServiceState::unknown;
    status.lsb_code = 4;
    status.reason = delegate.error().message();
}

}  // namespace

Result<ServiceStatus> status(const Located& located, const StatusOptions& options)
{
    ServiceStatus status;
    status.name = located.name;
    status.scope = located.paths.scope;
    std::optional<Error> unusable;
    auto judgement = judge(located, [&] {
        auto added = add_file(status, located);
        if (added) return *added;
        unusable = added.error();
        return ExpectedPidFile{.path = {}, .owner = os::effective_uid()};
    });
    if (unusable && unusable->code != ErrorCode::invalid_service_file) return fail(*unusable);
    if (unusable) status.reason = unusable->message();
    if (!judgement) return fail(judgement.error());
    status.pid_file = judgement->pid_file;
    if (judgement->state) {
        add_record(status, *judgement->state);
        compare_file(status, located, *judgement->state);
    }
    add_verdict(status, *judgement);
    if (judgement->main) {
        status.main_pid = judgement->main->pid();
        if (judgement->state) status.ready_since = judgement->state->ready_since;
    }
    add_init_system(status, located, *judgement, options);
    if (options.usage) {
        add_usage(status, *judgement);
        status.unit_stale = is_unit_stale(located);
    }
    if (status.last_lines.empty() && options.last_lines != 0 && status.log_file.empty()) {
        const auto spec = load_started(located);
        if (spec && spec->log.output == LogOutput::journal)
            status.last_lines = init::last_journal_lines({.name = located.name, .scope = located.paths.scope}, options.last_lines);
    }
    if (status.last_lines.empty() && options.last_lines != 0 && !status.log_file.empty()) {
        if (auto lines = log::last_lines(status.log_file, options.last_lines)) status.last_lines = std::move(*lines);
    }
    return status;
}

}  // namespace steward::manager
