// reexec: the installed program takes the place of a running keeper and supervisor.
#include <thread>

#include "manager/recorded.hpp"
#include "manager/verbs.hpp"
#include "supervise/client.hpp"
#include "supervise/keeper.hpp"
#include "supervise/successor.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds check_patience{45};
constexpr std::chrono::seconds successor_patience{15};
constexpr std::chrono::milliseconds pause{5};
enum CarryOnExit : int { can_carry_on = 0, cannot_carry_on = 1, not_understood = 2 };

bool is_another(const os::ProcessIdentity& now, const os::ProcessIdentity& before)
{
    return now.pid != before.pid || now.start_time != before.start_time;
}

// The next one is there when it has written itself into the record, or when all is over meanwhile.
Result<void> await_successor(const Located& located, const os::ProcessIdentity& before)
{
    const auto deadline = Clock::now() + successor_patience;
    do {
        const auto state = located.directory->read_state();
        if (state && *state && is_another((*state)->supervisor, before)) return {};
        const auto held = located.directory->lease_held();
        if (held && !*held) return {};
        std::this_thread::sleep_for(pause);
    } while (Clock::now() < deadline);
    return fail(Error{.code = ErrorCode::timed_out,
                      .operation = "reexec",
                      .object = located.name,
                      .cause = "no new supervisor has come up",
                      .next_step = "steward status " + located.name});
}

}  // namespace

Result<bool> reexec(Located& located)
{
    auto judgement = judge(located);
    if (!judgement) return fail(judgement.error());
    switch (judgement->verdict) {
        case Verdict::supervised: break;
        case Verdict::refused:
        case Verdict::undeterminable: return fail(refusal(*judgement, "reexec", located.name));
        default: return false;
    }
    const os::ProcessIdentity before = judgement->state ? judgement->state->supervisor : os::ProcessIdentity{};
    auto reply = supervise::ask(*located.directory, supervise::Request::reexec, "reexec", located.name, check_patience);
    if (!reply) return fail(reply.error());
    if (reply->error) return fail(*reply->error);
    if (auto there = await_successor(located, before); !there) return fail(there.error());
    return true;
}

int carry_on(const std::vector<std::string>& words)
{
    auto succession = supervise::parse_succession(words);
    if (!succession) return not_understood;
    const auto paths = paths_of(succession->system_scope ? Scope::system : Scope::user);
    if (!paths) return cannot_carry_on;
    auto assignment = recorded_assignment(succession->name, *paths, Foreground::no);
    if (!assignment) {
        if (!succession->check)
            log::EventLog(log::EventLog::Sink::file_and_syslog, paths->event_log()).error(succession->name, assignment.error().message());
        return cannot_carry_on;
    }
    if (succession->check) return can_carry_on;
    assignment->lease = std::move(succession->lease);
    assignment->control = std::move(succession->control);
    assignment->fifos = std::move(succession->fifos);
    assignment->notify = std::move(succession->notify);
    supervise::take_sockets(*assignment, succession->sockets, supervise::SocketFiles::ours);
    return supervise::keep_on(*assignment,
                              {.start_report = {}, .event_log = paths->event_log(), .notices = std::move(succession->notices)});
}

}  // namespace steward::manager
