// One stream of a service under the event loop: what the program writes is moved into its log, and a log that cannot be written is told once
// and tried again while something waits for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "log/event_log.hpp"
#include "log/pump.hpp"
#include "os/event_loop.hpp"
#include "supervise/log_lines.hpp"
#include "supervise/log_packer.hpp"

namespace steward::supervise {

class LogStream {
  public:
    LogStream(os::EventLoop& loop, log::EventLog& events, const std::string& service, log::Pump pump, LogCompression compression);
    ~LogStream();
    LogStream(const LogStream&) = delete;
    LogStream& operator=(const LogStream&) = delete;

    // Takes what comes from now on, whether the log can be opened or not; the error is the log's.
    Result<void> open();
    [[nodiscard]] bool takes() const { return watch_ != 0; }
    // A program is about to be launched: its last lines are counted from here.
    void begin_launch();
    // All that was written until now is in the log, if the log can be written.
    void drain();
    Result<void> rotate();
    Result<void> reopen();
    [[nodiscard]] LogPacker& packer() { return packer_; }
    // Of this launch, without their stamps.
    [[nodiscard]] std::vector<std::string> last_lines(unsigned count);
    // Where this launch's lines begin; after a predecessor's launch, as that has noted it.
    [[nodiscard]] const record::LogPlace& launch_place() const { return launch_; }
    void began_at(const record::LogPlace& place) { launch_ = place; }
    // Told every line of this launch, from the loop; empty: no more of them.
    void watch_lines(LogLines::Told told);

  private:
    void readable();
    void try_again();
    void settle(const Result<void>& outcome);
    void look_at_rotation();
    void look_at_limit();
    void look_at_lines();

    os::EventLoop& loop_;
    log::EventLog& events_;
    std::string service_;
    log::Pump pump_;
    LogPacker packer_;
    os::EventLoop::Id watch_ = 0;
    os::EventLoop::Id retry_ = 0;
    os::EventLoop::Id report_ = 0;
    bool limit_told_ = false;
    bool faulted_ = false;
    bool rotation_faulted_ = false;
    record::LogPlace launch_;
    std::optional<LogLines> lines_;
    LogLines::Told told_;
    os::EventLoop::Id look_ = 0;
};

}  // namespace steward::supervise
