// Whether and when an ended service is started again: a pure decision, so that a table can test it.
#pragma once

#include <steward/manager.hpp>
#include <steward/service_spec.hpp>

namespace steward::supervise {

// How an end counts, as systemd's Restart= has it: exit 0, the success-exit-codes and death by HUP, INT, TERM or PIPE are clean; other exit
// codes are failures; other signals are abnormal. An unknown exit counts as a failure.
enum class Ending { clean, failure, abnormal };
[[nodiscard]] Ending classify(const ExitStatus& exit, const ServiceSpec::Restart& rules);

// The memory of the policy: restarts since the service last ran for a whole `window`.
struct RestartHistory {
    unsigned attempts = 0;
};

struct RestartDecision {
    enum class Verdict { restart, finished, failed, gave_up };
    Verdict verdict = Verdict::finished;
    Duration delay{};  // with restart
    RestartHistory history;
};

// `ran_for`: how long the ended run lasted. `random` in [0, 1) places the delay inside its jitter.
[[nodiscard]] RestartDecision decide(const ServiceSpec::Restart& rules, const ExitStatus& exit, Duration ran_for, RestartHistory history,
                                     double random);

}  // namespace steward::supervise
