#include "manager/judgement.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

bool claims_running(const record::State& state)
{
    switch (state.state) {
        case ServiceState::starting:
        case ServiceState::running:
        case ServiceState::reloading:
        case ServiceState::stopping:
        case ServiceState::backing_off: return true;
        default: return false;
    }
}

void undeterminable(Judgement& judgement, std::string reason)
{
    judgement.verdict = Verdict::undeterminable;
    judgement.reason = std::move(reason);
}

// Finds the main process that the record names, if it lives and is the same.
Result<void> find_main(const Located& located, Judgement& judgement)
{
    auto identity = located.directory->read_main();
    if (!identity) return fail(identity.error());
    if (!*identity) return {};
    auto process = os::ProcessRef::open(**identity);
    if (!process) return fail(process.error());
    if (!*process) return {};
    auto liveness = (*process)->liveness();
    if (!liveness) return fail(liveness.error());
    if (*liveness == os::Liveness::alive) judgement.main = std::move(**process);
    return {};
}

// Nothing lives by the record's word. What does the PID file say?
void hear_pid_file(Judgement& judgement, std::uint32_t owner, bool claimed)
{
    using Reading = record::PidFileReading::Verdict;
    const auto reading = record::read_pid_file(judgement.pid_file, owner);
    judgement.pid_file_exists = reading.verdict != Reading::missing;
    const std::string file = "PID file '" + judgement.pid_file + "'";
    switch (reading.verdict) {
        case Reading::missing:
            judgement.verdict = claimed ? Verdict::dead : Verdict::stopped;
            if (claimed) judgement.reason = "the record says running, and its main process is gone";
            return;
        case Reading::refused:
            judgement.verdict = Verdict::refused;
            judgement.reason = file + " " + reading.reason;
            return;
        case Reading::unreadable: return undeterminable(judgement, file + " cannot be read");
        case Reading::empty:
            judgement.verdict = Verdict::dead;
            judgement.reason = file + " is empty";
            return;
        case Reading::pid:
        case Reading::too_large:
            judgement.verdict = Verdict::dead;
            judgement.reason = file + " is stale: it holds " + std::to_string(reading.pid) + ", and this service is not that process";
            return;
    }
}

}  // namespace

Result<Judgement> judge(const Located& located, const std::string& spec_pid_file, Lease lease)
{
    Judgement judgement;
    const auto owner = os::effective_uid();
    if (located.directory) {
        auto state = located.directory->read_state();
        if (!state) {
            if (state.error().code == ErrorCode::not_permitted) return fail(state.error());
            undeterminable(judgement, state.error().cause);
            return judgement;
        }
        judgement.state = std::move(*state);
    }
    judgement.pid_file = judgement.state && !judgement.state->pid_file.empty() ? judgement.state->pid_file
                         : !spec_pid_file.empty()                             ? spec_pid_file
                                                                              : located.paths.pid_file(located.name);
    bool claimed = false;
    if (judgement.state) {
        const auto boot = os::boot_identity();
        if (!boot) {
            undeterminable(judgement, boot.error().message());
            return judgement;
        }
        const bool same_boot = judgement.state->boot == *boot;
        auto held = lease == Lease::ours ? Result<bool>(false) : located.directory->lease_held();
        if (!held) return fail(held.error());
        if (*held && !same_boot) {
            undeterminable(judgement, "its supervisor is in another PID namespace");
            return judgement;
        }
        if (same_boot) {
            if (auto found = find_main(located, judgement); !found) {
                undeterminable(judgement, found.error().message());
                return judgement;
            }
        }
        claimed = claims_running(*judgement.state);
        if (*held) {
            judgement.verdict = Verdict::supervised;
            return judgement;
        }
        if (judgement.main) {
            judgement.verdict = Verdict::alone;
            return judgement;
        }
        if (same_boot && judgement.state->state == ServiceState::starting && located.directory->launch_under_way()) {
            judgement.verdict = Verdict::launching;
            return judgement;
        }
    }
    hear_pid_file(judgement, owner, claimed);
    return judgement;
}

Error refusal(const Judgement& judgement, const std::string& operation, const std::string& name)
{
    const bool refused = judgement.verdict == Verdict::refused;
    return Error{.code = refused ? ErrorCode::untrusted_pid_file : ErrorCode::undeterminable,
                 .operation = operation,
                 .object = name,
                 .cause = judgement.reason,
                 .next_step = refused ? "look at the file, and remove it if nothing of " + name + " runs" : ""};
}

}  // namespace steward::manager
