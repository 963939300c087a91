// One stream of a service on its way from its FIFO, line by line, to the journal or to syslog.
//
//   FIFO ──splice──▶ spool ──a line a message──▶ the daemon's socket
//
// The mark moves on after each line that the socket took. So a kill loses nothing, and at most the one line that was sent and not marked yet is
// sent again. What has no end yet waits in the spool.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "log/intake.hpp"
#include "log/line_sink.hpp"

namespace steward::log {

class LinePump : public Intake {
  public:
    // `priority`: of lines that do not say their own. `fifo` is lent for the pump's life.
    LinePump(LineSink sink, int priority, const RateLimit& limit, os::BorrowedFd fifo, Spool spool);

    // Never fails for want of a daemon.
    Result<void> open() override;
    // An error of EAGAIN: the daemon has no room now, and what was taken waits. socket() is writable when it has.
    Result<std::size_t> move() override;
    // The daemon is waited for as long as it takes lines, for a few seconds at most.
    Result<void> drain() override;
    Result<void> begin_launch() override;
    // Nobody writes any more: what has no end is a line.
    Result<void> finish();

    void set_main_pid(std::int32_t pid) { pid_ = pid; }
    [[nodiscard]] os::BorrowedFd socket() const { return sink_.socket(); }
    // Of this launch, those that could not be sent yet too.
    [[nodiscard]] std::vector<std::string> last_lines(std::size_t count);

  private:
    Result<void> deliver();
    // What of a line has come and not its end: waits for that; goes as a line; or goes as the beginning of one.
    enum class Rest { waits, goes, goes_on };
    Result<void> deliver_pending(Rest rest);
    Result<std::size_t> deliver_line(std::span<const char> from, Rest rest, Source source);
    Result<std::size_t> move_past_splice(bool has_room);
    Result<void> send(const SentLine& line);
    Result<void> write_line(std::string_view line, SpoolMark after) override;
    void remember(std::string_view line, bool continues);

    LineSink sink_;
    int priority_;
    int line_priority_;  // of the line whose beginning was sent already
    std::int32_t pid_ = 0;
    std::deque<std::string> last_;
    std::optional<std::chrono::steady_clock::time_point> patience_;  // set while the daemon is waited for
};

}  // namespace steward::log
