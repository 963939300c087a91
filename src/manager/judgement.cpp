#include "manager/judgement.hpp"

#include <thread>

#include "os/account.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

// Two that agree are believed when nobody holds the lease; a start has these few milliseconds to write its record.
constexpr int looks = 3;
constexpr std::chrono::milliseconds look_pause{2};

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
Result<void> find_main(const std::optional<os::ProcessIdentity>& recorded, Judgement& judgement)
{
    if (!recorded) return {};
    auto process = os::ProcessRef::open(*recorded);
    if (!process) return fail(process.error());
    if (!*process) return {};
    auto liveness = (*process)->liveness();
    if (!liveness) return fail(liveness.error());
    if (*liveness == os::Liveness::alive) judgement.main = std::move(**process);
    return {};
}

// Nothing lives by the record's word. What does the PID file say?
void hear_pid_file(Judgement& judgement, bool claimed)
{
    using Reading = record::PidFileReading::Verdict;
    const auto reading = record::read_pid_file(judgement.pid_file, judgement.pid_file_owner);
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

// The lease is looked at before the record is read: whoever takes it in between shows in the record at worst.
Result<Judgement> judge_once(const Located& located, const PidFileOfSpec& pid_file_of_spec, Lease lease, bool& may_change)
{
    Judgement judgement;
    std::optional<os::ProcessIdentity> recorded_main;
    bool held = false;
    if (located.directory) {
        if (lease == Lease::look) {
            const auto locked = located.directory->lease_held();
            if (!locked) return fail(locked.error());
            held = *locked;
        }
        auto reading = located.directory->read();
        if (!reading) {
            if (reading.error().code == ErrorCode::not_permitted) return fail(reading.error());
            undeterminable(judgement, "its record cannot be read: " + reading.error().cause);
            judgement.next_step = "if nothing of " + located.name + " runs: rm " + located.directory->path() + "/record";
            return judgement;
        }
        judgement.state = std::move(reading->state);
        recorded_main = reading->main;
    }
    judgement.pid_file_owner = os::effective_uid();
    if (judgement.state) {
        judgement.pid_file = judgement.state->pid_file;
        judgement.pid_file_owner = judgement.state->pid_file_owner;
    }
    if (judgement.pid_file.empty()) {
        auto expected = pid_file_of_spec();
        judgement.pid_file = std::move(expected.path);
        judgement.pid_file_owner = expected.owner;
    }
    if (judgement.pid_file.empty()) judgement.pid_file = located.paths.pid_file(located.name);
    if (held && !judgement.state) {
        judgement.verdict = Verdict::launching;
        may_change = true;
        return judgement;
    }
    bool claimed = false;
    if (judgement.state) {
        const auto boot = os::boot_identity();
        if (!boot) {
            undeterminable(judgement, boot.error().message());
            return judgement;
        }
        const bool same_boot = judgement.state->boot == *boot;
        judgement.same_boot = same_boot;
        if (held && !same_boot) {
            undeterminable(judgement, "its supervisor is in another PID namespace");
            may_change = true;
            return judgement;
        }
        if (same_boot) {
            if (auto found = find_main(recorded_main, judgement); !found) {
                undeterminable(judgement, found.error().message());
                return judgement;
            }
        }
        claimed = claims_running(*judgement.state);
        if (held) {
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
    hear_pid_file(judgement, claimed);
    may_change = claimed && lease == Lease::look;
    return judgement;
}

}  // namespace

ExpectedPidFile expected_pid_file(const ServiceSpec& spec)
{
    ExpectedPidFile expected{.path = spec.service.pid_file, .owner = os::effective_uid()};
    // Only a program that writes it itself does so as its own user.
    if (spec.service.type != ServiceType::forking || spec.service.user.empty()) return expected;
    if (auto account = os::find_account(spec.service.user)) expected.owner = account->uid;
    return expected;
}

Result<Judgement> judge(const Located& located, const PidFileOfSpec& pid_file_of_spec, Lease lease)
{
    for (int look = 1;; ++look) {
        bool may_change = false;
        auto judgement = judge_once(located, pid_file_of_spec, lease, may_change);
        if (!judgement || !may_change || look == looks) return judgement;
        // Whoever has just taken the lease is about to write the record; whoever has just given it up had written it before.
        if (judgement->verdict != Verdict::dead) std::this_thread::sleep_for(look_pause);
    }
}

Result<Judgement> judge(const Located& located, Lease lease)
{
    const auto pid_file_of_spec = [&] {
        auto loaded = load_current(located);
        return expected_pid_file(loaded ? loaded->spec : ServiceSpec{});
    };
    return judge(located, pid_file_of_spec, lease);
}

Error refusal(const Judgement& judgement, const std::string& operation, const std::string& name)
{
    const bool refused = judgement.verdict == Verdict::refused;
    return Error{.code = refused ? ErrorCode::untrusted_pid_file : ErrorCode::undeterminable,
                 .operation = operation,
                 .object = name,
                 .cause = judgement.reason,
                 .next_step = refused ? "look at the file, and remove it if nothing of " + name + " runs" : judgement.next_step};
}

}  // namespace steward::manager
