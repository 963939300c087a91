// Waits until a launched program is ready, in the way that [ready] names.
//
//   none written    it first waits for something (settle.hpp)
//   delay           it has run for so long
//   file            the file appears, or is written anew
//   tcp, unix       somebody takes a connection
//   http            the request is answered with a status of 200 to 399
//   command         the command succeeds
//   notify          it says so by sd_notify(3), which is the caller's to hear
//   fd              a newline comes through the descriptor that the program was given
//
// What has to be asked again and again (tcp, unix, http, command) is asked often at first and twice a second later, and by nobody once the service
// is ready.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <steward/manager.hpp>
#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "os/event_loop.hpp"
#include "os/process.hpp"
#include "process/launch_plan.hpp"

namespace steward::supervise {

class ServiceOutput;

class ReadyWatch {
  public:
    ReadyWatch() = default;
    virtual ~ReadyWatch() = default;
    ReadyWatch(const ReadyWatch&) = delete;
    ReadyWatch& operator=(const ReadyWatch&) = delete;

    // For a bulk reaper: true when `pid` was a command of this.
    virtual bool command_ended(std::int32_t pid, const ExitStatus& status);
    // What was waited for, and why it is not so: for whom the time is over.
    [[nodiscard]] virtual std::string complaint() const { return {}; }
};

struct ReadyContext {
    os::EventLoop& loop;
    const ServiceSpec::Ready& rules;  // lent
    std::int32_t main = 0;
    os::MonotonicClock::time_point launched;
    std::chrono::system_clock::time_point launched_at;  // the same moment
    std::optional<process::LaunchPlan> command;         // with rules.command
    os::BorrowedFd mailbox;                             // with rules.fd: what the program writes to
    ServiceOutput* output = nullptr;                    // with rules.log
};

// `ready` is called once, from the loop, and may destroy the watch. The end of the program is the caller's to notice.
std::unique_ptr<ReadyWatch> watch_ready(ReadyContext context, std::function<void()> ready);

// A limit for people: "90 s", "1500 ms".
[[nodiscard]] std::string limit_text(Duration limit);

// watch_ready for a caller without a loop. `late`: not before `limit` (unset: none) was over; `complaint` says what was missing.
enum class Readiness { ready, ended, late };
struct LoneReadiness {
    Readiness outcome = Readiness::ready;
    std::string complaint;
};
Result<LoneReadiness> wait_until_ready(const os::ProcessRef& main, const ServiceSpec::Ready& rules,
                                       std::optional<process::LaunchPlan> command, os::MonotonicClock::time_point launched,
                                       std::optional<Duration> limit);

}  // namespace steward::supervise
