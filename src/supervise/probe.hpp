// One look at whether a service answers, without waiting for it: a connection that is taken, a request that is answered, a command that
// succeeds.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <steward/manager.hpp>
#include <steward/service_spec.hpp>

#include "os/event_loop.hpp"
#include "process/launch_plan.hpp"

namespace steward::supervise {

struct ProbeTarget {
    enum class Kind { tcp, unix_socket, http, command };
    Kind kind = Kind::tcp;
    std::string address;                           // endpoint, path or URL
    const process::LaunchPlan* command = nullptr;  // lent for the time of the probe
};

class Probe {
  public:
    // Why not, as the end of a sentence; unset: it answers.
    using Done = std::function<void(std::optional<std::string> failure)>;

    // `done` is called once, from the loop, and may destroy the probe; never, when it is destroyed first.
    static std::unique_ptr<Probe> start(os::EventLoop& loop, const ProbeTarget& target, Duration timeout, Done done);
    virtual ~Probe();
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

    // For a bulk reaper: true when `pid` was this probe's command.
    virtual bool command_ended(std::int32_t pid, const ExitStatus& status);
    // It could not be asked, for want of descriptors, processes or memory: that says nothing of the service.
    [[nodiscard]] bool could_not_ask() const { return could_not_ask_; }

  protected:
    Probe(os::EventLoop& loop, Done done);
    void finish(std::optional<std::string> failure);
    // From the loop: what is known before anything was waited for.
    void finish_soon(std::optional<std::string> failure);
    void note(const Error& error);  // of an attempt
    void limit(Duration timeout);

    os::EventLoop& loop_;

  private:
    Done done_;
    os::EventLoop::Id timer_ = 0;
    bool could_not_ask_ = false;
};

}  // namespace steward::supervise
