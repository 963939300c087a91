// The verbs, each on a service that was located. Manager finds and calls; here is what happens.
#pragma once

#include <optional>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "manager/judgement.hpp"
#include "manager/located.hpp"

namespace steward::manager {

Result<StartOutcome> start(Located& located, const StartOptions& options);
Result<StopOutcome> stop(Located& located);
Result<StartOutcome> restart(Located& located, const StartOptions& options);
Result<void> reload(Located& located);
Result<void> signal_main(Located& located, int signal);
Result<RunOutcome> run(std::vector<Located>& services);
Result<ServiceStatus> status(const Located& located, const StatusOptions& options);

// The judgement on a service whose file says where its PID file is, should the record not say.
Result<Judgement> judge(const Located& located);

[[nodiscard]] bool is_running(const Judgement& judgement);  // has a main process, or a supervisor that will start one

// Whoever keeps the service has gone for good, so that its lease is free: waits for that, briefly.
void wait_for_keeper(const Judgement& judgement);

}  // namespace steward::manager
