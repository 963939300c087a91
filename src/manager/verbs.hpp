// The verbs, each on a service that was located. Manager finds and calls; here is what happens.
#pragma once

#include <chrono>
#include <optional>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "manager/judgement.hpp"
#include "manager/located.hpp"

namespace steward::manager {

Result<StartOutcome> start(Located& located, const StartOptions& options);
Result<StopOutcome> stop(Located& located);
enum class RestartWhat { anything, running };  // running: a service that was stopped stays so, and the outcome is unset
Result<void> reload(Located& located);
Result<void> rotate_logs(Located& located);
Result<void> reopen_logs(Located& located);
Result<bool> reexec(Located& located);  // false: no steward process keeps it
int carry_on(const std::vector<std::string>& words);
Result<void> signal_main(Located& located, int signal);
Result<RunOutcome> run(std::vector<Located>& services, const RunOptions& options);
std::vector<Result<void>> check(const std::vector<Target>& targets, std::optional<Scope> scope);
Result<ServiceStatus> status(const Located& located, const StatusOptions& options);
// `located` is what of the targets was found.
Result<void> logs(const std::vector<Located>& located, const LogOptions& options, LogSink& sink);

// Waits until the lease is free, because whoever kept the service has nothing more to do.
inline constexpr std::chrono::milliseconds keeper_patience{5000};
void wait_for_keeper(const Located& located, std::chrono::milliseconds limit);

// How long a supervisor may take to answer a stop: the service's own time-out, and time to kill and to tell.
[[nodiscard]] std::chrono::milliseconds stop_patience(const ServiceSpec& spec);

// Of an ended process that is not this one's child: waits a moment for its parent to reap it, for then the kernel may tell.
[[nodiscard]] ExitStatus exit_of_stranger(const os::ProcessRef& process);

}  // namespace steward::manager
