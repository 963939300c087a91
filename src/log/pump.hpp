// One stream of a service on its way from its FIFO into its log.
//
//   FIFO ──splice──▶ log                       without stamps: bytes as they come, in one move
//   FIFO ──splice──▶ spool ──stamps──▶ log     with stamps, and whatever the log cannot take at once
//
// Knows no event loop: somebody calls move() when the FIFO is readable. A log that cannot be written (disk full, directory gone, a link in
// its place) is a fault of move(); meanwhile absorb() keeps what comes, up to a bound, and counts what it then has to drop, so that the service
// never waits for a disk.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "log/rotation.hpp"
#include "log/spool.hpp"
#include "log/stamper.hpp"
#include "os/file.hpp"

namespace steward::log {

struct PumpOptions {
    std::string path;
    bool system_scope = true;
    LogTimestamps timestamps = LogTimestamps::iso8601;
    RotationRules rotation;
    RateLimit rate_limit;
};

struct Loss {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    explicit operator bool() const { return lines != 0 || bytes != 0; }
};

class Pump {
  public:
    // `fifo` is lent for the pump's life.
    Pump(PumpOptions options, os::BorrowedFd fifo, Spool spool);

    // Opens the log, makes it where it is missing, and brings what a killed predecessor has left in the spool.
    Result<void> open();
    // Some of what waits, but not all: one stream does not hold up the others. The bytes taken from the FIFO; 0: nothing waited.
    Result<std::size_t> move();
    // After a move() that failed, until one succeeds: takes what waits out of the FIFO, whatever becomes of it.
    void absorb();
    // Everything that was in the FIFO when it was called, and in the spool. A fault ends with everything absorbed.
    Result<void> drain();
    // The next program's first line is a line of its own.
    Result<void> begin_launch();
    // By request, whatever its size; an empty log is left as it is. Nothing is taken from the FIFO.
    Result<void> rotate();
    // Somebody has renamed it: the next line begins a new one. Nothing is done where the log is still what its name stands for.
    Result<void> reopen();
    // A log that was full has been rotated, or could not be and is written on. Told once.
    [[nodiscard]] bool take_rotated() { return std::exchange(rotated_, false); }
    [[nodiscard]] std::optional<Error> take_rotation_fault() { return std::exchange(rotation_fault_, std::nullopt); }
    // What had to be dropped, told once after the log is written again. A line in the log says it too.
    [[nodiscard]] Loss take_loss() { return std::exchange(told_loss_, {}); }

    // After how long move() is to be called even if nothing comes, for a line that says what the rate limit has dropped. Unset: nothing to say.
    [[nodiscard]] std::optional<std::chrono::microseconds> report_after() const;

    // Something was taken that the log does not have yet, or the count of what it will never have.
    [[nodiscard]] bool owes() const { return spool_.pending() > 0 || mark_.lost_bytes > 0; }

    [[nodiscard]] os::BorrowedFd fifo() const { return fifo_; }
    [[nodiscard]] const PumpOptions& options() const { return options_; }
    // The log, and how far it is written.
    [[nodiscard]] os::BorrowedFd log() const { return log_; }
    [[nodiscard]] std::uint64_t log_size() const { return mark_.log_size; }

  private:
    [[nodiscard]] bool direct() const;
    Result<std::size_t> move_directly();
    Result<std::size_t> move_by_spool();
    Result<void> deliver();
    Result<void> deliver_some();
    Result<std::size_t> deliver_lines(std::span<const char> from, const Stamp& stamp);
    Result<void> write_line(std::string_view line, SpoolMark after);
    [[nodiscard]] bool is_limited() const { return options_.rate_limit.lines != 0; }
    Result<void> report_dropped();
    Result<void> write(std::span<const char> bytes, const SpoolMark& after);
    void discard();
    std::size_t skip_to_line_end();
    Result<void> tell_loss();

    [[nodiscard]] bool is_full() const { return full_at_ != 0 && mark_.log_size >= full_at_; }
    void learn_line_end();
    Result<void> make_room();
    Result<bool> name_is_ours() const;

    Result<void> ready_log();
    Result<void> open_log_file();
    void recover(const os::FileInfo& found);
    void cut_elsewhere() const;
    [[nodiscard]] bool ends_inside_line(std::uint64_t size) const;
    [[nodiscard]] Error about_log(Error error) const;
    Result<void> commit(const SpoolMark& mark);

    PumpOptions options_;
    os::BorrowedFd fifo_;
    Spool spool_;
    os::UniqueFd log_;
    SpoolMark mark_;  // as of the last byte written; the spool's own lags behind while bytes go directly
    bool can_splice_ = true;
    bool went_directly_ = false;  // since the last commit
    bool grown_ = false;
    bool inside_lost_line_ = false;
    bool recovered_ = false;  // nothing stands behind the mark in the log
    bool rotated_ = false;
    std::uint64_t full_at_ = 0;  // the size at which the log is rotated; 0: never
    std::optional<Error> rotation_fault_;
    std::optional<std::uint32_t> log_group_;
    Loss told_loss_;
};

}  // namespace steward::log
