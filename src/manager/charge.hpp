// Takes a service in hand: nobody else changes it, nobody supervises it, and what is true of it is known.
#pragma once

#include <chrono>
#include <optional>

#include <steward/result.hpp>

#include "manager/judgement.hpp"
#include "manager/preparation.hpp"

namespace steward::manager {

struct Charge {
    os::UniqueFd verb_lock;
    os::UniqueFd lease;
    Judgement judgement;  // alone, dead or stopped
    // As the file has it now; of what runs alone and wants a supervisor, as it was started; of what runs alone and wants none: unset.
    std::optional<Preparation> preparation;
};

// Unset: somebody else holds the lease. Proves the service file before anything is made or locked for a service that has no record. Waits
// for the verb lock until `timeout` (unset: for ever), and for the outcome of a launch that nobody supervises.
Result<std::optional<Charge>> take_charge(Located& located, const std::string& operation, Foreground foreground,
                                          std::optional<std::chrono::milliseconds> timeout);

// From the charge to an assignment; the verb lock stays the charge's.
Result<supervise::Assignment> assign(const Located& located, Charge& charge, const OfferedSockets& offered);

}  // namespace steward::manager
