// One stream of a service under the event loop: what the program writes is moved on, and where it cannot be, that is told once and tried
// again while something waits for it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "log/event_log.hpp"
#include "log/intake.hpp"
#include "os/event_loop.hpp"
#include "supervise/log_lines.hpp"
#include "supervise/log_packer.hpp"

namespace steward::supervise {

class OutputStream {
  public:
    virtual ~OutputStream();
    OutputStream(const OutputStream&) = delete;
    OutputStream& operator=(const OutputStream&) = delete;

    // Takes what comes from now on, whether it can be moved on or not; the error is that of where it goes.
    virtual Result<void> open();
    // What comes is taken now, or soon.
    [[nodiscard]] bool takes() const { return opened_; }
    // A program is about to be launched: its last lines are counted from here.
    virtual void begin_launch() = 0;
    // All that was written until now is where it goes, if that can be written.
    void drain();
    // The run is over.
    virtual void hang_up() {}
    virtual void set_main_pid(std::int32_t /*pid*/) {}
    // Of this launch, as the program wrote them.
    [[nodiscard]] virtual std::vector<std::string> last_lines(unsigned count) = 0;

    // What only a log file has.
    virtual Result<void> rotate() { return {}; }
    virtual Result<void> reopen() { return {}; }
    [[nodiscard]] virtual LogPacker* packer() { return nullptr; }
    // Where this launch's lines begin; after a predecessor's launch, as that has noted it.
    [[nodiscard]] virtual record::LogPlace launch_place() const { return {}; }
    virtual void began_at(const record::LogPlace& /*place*/) {}
    // Told every line of this launch, from the loop; empty: no more of them.
    virtual void watch_lines(const LogLines::Told& /*told*/) {}
    // Rotated files stay as they are until a line has been looked for in them.
    virtual void hold_packing(bool /*hold*/) {}

  protected:
    OutputStream(os::EventLoop& loop, log::EventLog& events, std::string service, std::unique_ptr<log::Intake> intake);

    void settle(const Result<void>& outcome);
    // After what could not be moved on now: whether the stream waits by itself until it can, before it counts as a fault.
    virtual bool awaits_room(const Error& /*error*/) { return false; }
    virtual void settled(const Result<void>& /*outcome*/) {}
    // Before anything is moved, whoever asks for it.
    virtual void stop_awaiting() {}
    // The FIFO is left alone in between: what comes waits there.
    void pause();
    Result<void> resume();
    void move_on();
    // At once, and not after the pause.
    void try_again();

    [[nodiscard]] log::Intake& intake() { return *intake_; }
    [[nodiscard]] os::EventLoop& loop() { return loop_; }
    [[nodiscard]] log::EventLog& events() { return events_; }
    [[nodiscard]] const std::string& service() const { return service_; }

  private:
    void readable();
    void look_at_limit();

    os::EventLoop& loop_;
    log::EventLog& events_;
    std::string service_;
    std::unique_ptr<log::Intake> intake_;
    os::EventLoop::Id watch_ = 0;
    os::EventLoop::Id retry_ = 0;
    os::EventLoop::Id report_ = 0;
    bool opened_ = false;
    bool limit_told_ = false;
    bool faulted_ = false;
};

}  // namespace steward::supervise
