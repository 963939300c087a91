// What a service has written that nobody takes any more, because keeper and supervisor were killed: it is still brought into its log.
#pragma once

#include <optional>

#include "log/event_log.hpp"
#include "manager/judgement.hpp"
#include "manager/located.hpp"
#include "os/event_loop.hpp"
#include "supervise/service_output.hpp"

namespace steward::manager {

// With the lease free and the verb lock in hand.
class AbandonedOutput {
  public:
    // Takes, as long as the loop runs, what the service writes: it may not end before that is taken. Does nothing for a service whose output
    // goes nowhere or straight into a file.
    AbandonedOutput(os::EventLoop& loop, const Located& located, const ServiceSpec& spec, const Judgement& judgement);
    void drain();

  private:
    log::EventLog events_;
    supervise::Assignment assignment_;
    std::optional<supervise::ServiceOutput> output_;
};

}  // namespace steward::manager
