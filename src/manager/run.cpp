// run: supervises in the foreground, under whatever started steward.
#include <algorithm>
#include <cerrno>
#include <csignal>

#include "manager/charge.hpp"
#include "manager/family.hpp"
#include "manager/recorded.hpp"
#include "manager/verbs.hpp"
#include "os/descriptor_limit.hpp"
#include "os/environment.hpp"
#include "os/low_descriptors.hpp"
#include "os/message_socket.hpp"
#include "os/signals.hpp"
#include "supervise/keeper.hpp"
#include "supervise/service_output.hpp"
#include "supervise/supervisor.hpp"

namespace steward::manager {

namespace {

// Of one service: directory, lease, control socket, cgroup and process at least; with FIFOs, spools, logs and sockets more than twice that.
constexpr std::uint64_t fewest_descriptors = 5;
constexpr std::uint64_t most_descriptors = 16;
constexpr std::uint64_t own_descriptors = 64;
constexpr std::size_t many_services = 50;

Result<void> allow_descriptors_for(std::size_t services)
{
    const std::uint64_t wanted = services * most_descriptors + own_descriptors;
    const std::uint64_t allowed = os::allow_descriptors(wanted);
    const std::uint64_t needed = services * fewest_descriptors + own_descriptors;
    if (services == 1 || allowed >= needed) return {};
    return fail(Error{.code = ErrorCode::failed,
                      .operation = "run",
                      .object = std::to_string(services) + " services",
                      .cause = "they take " + std::to_string(needed) + " descriptors or more, and this process may have no more than " +
                               std::to_string(allowed),
                      .next_step = "ulimit -n " + std::to_string(wanted)});
}

bool is_pid_1()
{
    return os::self_pid() == 1;
}

Result<void> require_supervision(const ServiceSpec& spec)
{
    if (spec.service.supervise) return {};
    return fail(Error{.code = ErrorCode::unsupported,
                      .operation = "run",
                      .object = spec.name,
                      .cause = "its service file says supervise = false",
                      .next_step = "steward start " + spec.name});
}

// In a container whose root is read-only there is nobody to ask and nothing to carry on from. A PID file is written if the service file
// demands one.
Result<supervise::Assignment> assign_in_read_only_place(const Located& located, const OfferedSockets& offered)
{
    auto prepared = prepare(located, Foreground::yes, MakeDirectories::yes);
    if (!prepared) return fail(prepared.error());
    if (auto supervised = require_supervision(prepared->spec); !supervised) return fail(supervised.error());
    prepared->pid_file = prepared->spec.service.pid_file;
    return assign_without_record(std::move(*prepared), offered);
}

// Without a keeper to carry on, what restarts steward starts the service anew, and must not find the old one.
void die_with_steward(process::LaunchPlan& plan)
{
    plan.parent_death_signal = SIGKILL;
}

// Of what was found about a service, what is needed once it runs: there may be thousands.
struct Known {
    std::string name;
    Scope scope = Scope::system;
};

std::vector<Known> let_go(std::vector<Located>& services)
{
    std::vector<Known> known;
    known.reserve(services.size());
    for (const Located& located : services) known.push_back({.name = located.name, .scope = located.paths.scope});
    std::vector<Located>().swap(services);
    return known;
}

// What apply has written into its record.
Result<supervise::Assignment> assign_anew(const std::vector<Known>& services, const std::string& name)
{
    const auto paths = paths_of(std::ranges::find(services, name, &Known::name)->scope);
    if (!paths) return fail(paths.error());
    auto assignment = recorded_assignment(name, *paths, Foreground::yes);
    if (assignment) die_with_steward(assignment->plan);
    return assignment;
}

Result<supervise::Assignment> assign_to_run(Located& located, const OfferedSockets& offered)
{
    auto charge = take_charge(located, "run", Foreground::yes, std::nullopt);
    if (!charge && charge.error().os_errno == EROFS) return assign_in_read_only_place(located, offered);
    if (!charge) return fail(charge.error());
    if (!*charge || !(*charge)->preparation) {
        return fail(Error{.code = ErrorCode::already_running,
                          .operation = "run",
                          .object = located.name,
                          .cause = *charge ? "it is already running, without a supervisor" : "it is already supervised",
                          .next_step = "steward stop " + located.name});
    }
    if (auto supervised = require_supervision((*charge)->preparation->spec); !supervised) return fail(supervised.error());
    if (!is_pid_1()) die_with_steward((*charge)->preparation->plan);
    auto assignment = assign(located, **charge, offered);
    if (!assignment) return fail(assignment.error());
    auto control = os::listen_messages(assignment->directory->directory(), "control", 0600);
    if (!control) {
        note_failed_start(*assignment, control.error());
        return fail(control.error());
    }
    assignment->control = std::move(*control);
    located.directory.reset();  // the assignment has its own
    return assignment;
}

Result<std::vector<supervise::Assignment>> assign_all(std::vector<Located>& services, const OfferedSockets& offered)
{
    std::vector<supervise::Assignment> assignments;
    assignments.reserve(services.size());
    for (Located& located : services) {
        auto assignment = assign_to_run(located, offered);
        if (!assignment) {
            for (auto& other : assignments) note_failed_start(other, assignment.error());
            return fail(assignment.error());
        }
        assignments.push_back(std::move(*assignment));
    }
    return assignments;
}

// In the order of their dependencies. What a service needs and is not run here is the business of whoever started steward.
Result<std::vector<std::vector<supervise::Precedence>>> order_of(const std::vector<supervise::Assignment>& assignments)
{
    std::vector<DependencyGraph::Node> nodes;
    for (const auto& assignment : assignments) nodes.push_back({.name = assignment.spec.name, .wishes = assignment.spec.dependencies});
    const DependencyGraph graph(nodes);
    if (const auto cycle = graph.cycle(); !cycle.empty()) return fail(on_cycle("run", cycle.front(), cycle));
    std::vector<std::vector<supervise::Precedence>> order(nodes.size());
    bool any = false;
    for (std::size_t place = 0; place < nodes.size(); ++place) {
        for (const auto& link : graph.before(place)) order[place].push_back({.of = link.of, .required = link.required});
        any = any || !order[place].empty();
    }
    if (!any) order.clear();
    return order;
}

// Nobody but the container's end could start steward again, so it has a keeper as a daemon has.
Result<RunOutcome> keep_all(const std::vector<supervise::Assignment*>& assignments, std::vector<std::vector<supervise::Precedence>> order)
{
    // The keeper holds what the supervisors take from; one that cannot be made fails the launch that needs it, with the reason.
    for (supervise::Assignment* assignment : assignments) static_cast<void>(supervise::make_fifos(*assignment));
    auto kept = supervise::keep_all(assignments, {.start_report = {},
                                                  .event_log = {},
                                                  .sink = log::EventLog::Sink::standard_error,
                                                  .order = std::move(order),
                                                  .notify_socket = os::environment_variable("NOTIFY_SOCKET").value_or("")});
    if (!kept) return fail(kept.error());
    return RunOutcome{.exit = *kept};
}

}  // namespace

Result<RunOutcome> run(std::vector<Located>& services, const RunOptions& options)
{
    os::ignore_sigpipe();  // whoever read standard error may be gone
    if (auto enough = allow_descriptors_for(services.size()); !enough) return fail(enough.error());
    if (services.size() >= many_services) os::keep_low_descriptors();
    auto received = os::received_listeners();
    auto assignments = assign_all(services, {.descriptors = received, .files = supervise::SocketFiles::others});
    if (!assignments) return fail(assignments.error());
    const auto known = let_go(services);
    std::vector<supervise::Assignment*> lent;
    for (auto& assignment : *assignments) lent.push_back(&assignment);
    log::EventLog events(log::EventLog::Sink::standard_error, "");
    events.tell_of_missing_memory();
    for (const auto& assignment : *assignments) {
        if (!assignment.directory)
            events.warning(assignment.spec.name, "nothing can be written here: status, stop and reload cannot reach it");
    }
    if (!received.empty()) {
        events.warning(assignments->front().spec.name,
                       "sockets that it was given and that are no [[socket]] of its: " + std::to_string(received.size()));
        received.clear();
    }
    auto order = order_of(*assignments);
    if (!order) {
        for (auto& assignment : *assignments) note_failed_start(assignment, order.error());
        return fail(order.error());
    }
    const bool recorded = std::ranges::all_of(*assignments, [](const auto& assignment) { return assignment.directory.has_value(); });
    if (is_pid_1() && recorded) return keep_all(lent, std::move(*order));
    const supervise::Labels labels{.output = options.label_output, .error = options.label_error, .colour = options.colour};
    auto supervisor = supervise::Supervisor::create(lent, {.foreground = true,
                                                           .events = &events,
                                                           .order = std::move(*order),
                                                           .labels = labels,
                                                           .notify_socket = os::environment_variable("NOTIFY_SOCKET").value_or(""),
                                                           .renewed = [&](const std::string& name) { return assign_anew(known, name); }});
    if (!supervisor) {
        for (auto& assignment : *assignments) note_failed_start(assignment, supervisor.error());
        return fail(supervisor.error());
    }
    if (auto outcome = (*supervisor)->run(); !outcome) return fail(outcome.error());
    RunOutcome result;
    const auto& runners = (*supervisor)->runners();
    if (runners.size() == 1) result.exit = runners.front()->own_end();
    return result;
}

}  // namespace steward::manager
