// Services that the booted init system knows: verbs leave them to it, and what it says stands beside the record.
//
// One restarter, one truth: whoever started a service decides about it. What steward started itself before a unit was there
// is steward's until it is stopped.
#pragma once

#include <memory>
#include <optional>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "init/authority.hpp"
#include "manager/judgement.hpp"
#include "manager/located.hpp"

namespace steward::manager {

class Delegate {
  public:
    // Unset: steward acts by itself, because no init system is booted, or it does not know the service, or it shall not be asked.
    static Result<std::optional<Delegate>> of(const Located& located, init::Ask what = init::Ask::everything);

    [[nodiscard]] const init::Told& told() const { return told_; }
    [[nodiscard]] InitSystem system() const { return authority_->system(); }
    // It is up, by what the init system says.
    [[nodiscard]] bool runs() const;
    // It is not, and nothing is under way.
    [[nodiscard]] bool rests() const { return told_.state == ServiceState::stopped || told_.state == ServiceState::failed; }

    Result<StartOutcome> start(const Located& located, const StartOptions& options);
    Result<void> stop(const Located& located);
    Result<StartOutcome> restart(const Located& located, const StartOptions& options);
    Result<void> reload(const Located& located);
    Result<void> signal(const Located& located, int signal);

    // Puts what the init system says into a status made from the record.
    void add_to(ServiceStatus& status, const Located& located, const Judgement& judgement, const StatusOptions& options);

  private:
    Result<void> await_outcome(const Located& located, const StartOptions& options);
    [[nodiscard]] std::int64_t main_pid_now(const Located& located);
    Delegate(std::unique_ptr<init::Authority> authority, init::Told told) : authority_(std::move(authority)), told_(std::move(told)) {}

    std::unique_ptr<init::Authority> authority_;
    init::Told told_;
};

// Steward's own child, which the record knows better than anybody.
[[nodiscard]] bool is_stewards(const Judgement& judgement);
// Steward runs it, and the init system does not: it was started before its unit was there, or with --here.
[[nodiscard]] bool is_only_stewards(const Located& located, const Delegate& delegate);

// Where a session takes along what was started in it when it ends, a start leaves it with the process that it is done in: which has then
// to be one of its own.
[[nodiscard]] bool leaves_session(const Located& located);
void leave_session(const Located& located, const std::string& description);

}  // namespace steward::manager
