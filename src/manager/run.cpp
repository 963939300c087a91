// run: supervises in the foreground, under whatever started steward.
#include "manager/preparation.hpp"
#include "manager/verbs.hpp"
#include "os/message_socket.hpp"
#include "record/pid_file.hpp"
#include "supervise/supervisor.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

Result<supervise::Assignment> take_charge(Located& located)
{
    auto prepared = prepare(located, Foreground::yes, MakeDirectories::yes);
    if (!prepared) return fail(prepared.error());
    if (!prepared->spec.service.supervise) {
        return fail(Error{.code = ErrorCode::unsupported,
                          .operation = "run",
                          .object = located.name,
                          .cause = "its service file says supervise = false",
                          .next_step = "steward start " + located.name});
    }
    auto directory = record::ServiceDirectory::create(located.paths.runtime, located.name);
    if (!directory) return fail(directory.error());
    auto again = record::ServiceDirectory::open(located.paths.runtime, located.name);
    if (!again) return fail(again.error());
    located.directory = std::move(*again);
    auto verb_lock = directory->lock_verb(std::nullopt);
    if (!verb_lock) return fail(verb_lock.error());
    auto lease = directory->take_lease();
    if (!lease) return fail(lease.error());
    if (!*lease) {
        return fail(Error{.code = ErrorCode::already_running,
                          .operation = "run",
                          .object = located.name,
                          .cause = "it is already supervised",
                          .next_step = "steward stop " + located.name});
    }
    auto judgement = judge(located, prepared->spec.service.pid_file, Lease::ours);
    if (!judgement) return fail(judgement.error());
    if (judgement->verdict == Verdict::refused || judgement->verdict == Verdict::undeterminable) {
        return fail(refusal(*judgement, "run", located.name));
    }
    if (judgement->verdict == Verdict::dead) {
        static_cast<void>(record::remove_pid_file(judgement->pid_file, 0, os::effective_uid()));
    }
    auto assignment = assign(std::move(*prepared), std::move(*directory), std::move(**lease));
    if (!assignment) return fail(assignment.error());
    assignment->adopt = judgement->verdict == Verdict::alone;
    auto control = os::listen_messages(assignment->directory.directory(), "control", 0600);
    if (!control) return fail(control.error());
    assignment->control = std::move(*control);
    return assignment;
}

}  // namespace

Result<RunOutcome> run(std::vector<Located>& services)
{
    std::vector<supervise::Assignment> assignments;
    assignments.reserve(services.size());
    for (Located& located : services) {
        auto assignment = take_charge(located);
        if (!assignment) return fail(assignment.error());
        assignments.push_back(std::move(*assignment));
    }
    std::vector<supervise::Assignment*> lent;
    for (auto& assignment : assignments) lent.push_back(&assignment);
    log::EventLog events(log::EventLog::Sink::standard_error, "");
    auto supervisor = supervise::Supervisor::create(lent, {.foreground = true, .events = &events});
    if (!supervisor) return fail(supervisor.error());
    if (auto outcome = (*supervisor)->run(); !outcome) return fail(outcome.error());
    RunOutcome result;
    const auto& runners = (*supervisor)->runners();
    if (runners.size() == 1 && !runners.front()->stopped_on_request()) result.exit = runners.front()->last_exit();
    return result;
}

}  // namespace steward::manager
