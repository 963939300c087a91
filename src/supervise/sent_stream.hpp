// A stream that goes to the journal or to syslog. A daemon that is only slow is waited for, and the service with it, for a moment; one that
// takes nothing for longer is one that cannot be written to.
#pragma once

#include "log/line_pump.hpp"
#include "supervise/output_stream.hpp"

namespace steward::supervise {

class SentStream : public OutputStream {
  public:
    SentStream(os::EventLoop& loop, log::EventLog& events, const std::string& service, std::unique_ptr<log::LinePump> pump);
    ~SentStream() override;
    SentStream(const SentStream&) = delete;
    SentStream& operator=(const SentStream&) = delete;

    // A daemon that is not there yet is no reason not to begin.
    Result<void> open() override;
    void begin_launch() override;
    void hang_up() override;
    void set_main_pid(std::int32_t pid) override { pump_.set_main_pid(pid); }
    [[nodiscard]] std::vector<std::string> last_lines(unsigned count) override;

  private:
    bool awaits_room(const Error& error) override;
    void stop_awaiting() override;
    void settled(const Result<void>& outcome) override;
    bool watch_room();
    void cancel_both();
    Result<void> read_on();
    void had_enough(const Error& error);

    log::LinePump& pump_;  // the base's
    os::EventLoop::Id room_ = 0;
    os::EventLoop::Id patience_ = 0;
    os::EventLoop::Id again_ = 0;
    bool impatient_ = false;
};

}  // namespace steward::supervise
