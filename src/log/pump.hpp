// One stream of a service on its way from its FIFO into its log.
//
//   FIFO ──splice──▶ log                       without stamps: bytes as they come, in one move
//   FIFO ──splice──▶ spool ──stamps──▶ log     with stamps, and whatever the log cannot take at once
//
// Knows no event loop: somebody calls move() when the FIFO is readable. A log that cannot be written (disk full, directory gone, a link in
// its place) is a fault of move().
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "log/intake.hpp"
#include "log/rotation.hpp"
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

class Pump : public Intake {
  public:
    // `fifo` is lent for the pump's life.
    Pump(PumpOptions options, os::BorrowedFd fifo, Spool spool);

    Result<void> open() override;
    Result<std::size_t> move() override;
    Result<void> begin_launch() override;
    // By request, whatever its size; an empty log is left as it is. Nothing is taken from the FIFO.
    Result<void> rotate();
    // Somebody has renamed it: the next line begins a new one. Nothing is done where the log is still what its name stands for.
    Result<void> reopen();
    // Called whenever it is about to be rotated: it has all that goes into it.
    void before_rotation(std::function<void()> call) { before_rotation_ = std::move(call); }
    // A log that was full has been rotated, or could not be and is written on. Told once.
    [[nodiscard]] bool take_rotated() { return std::exchange(rotated_, false); }
    [[nodiscard]] std::optional<Error> take_rotation_fault() { return std::exchange(rotation_fault_, std::nullopt); }
    [[nodiscard]] const PumpOptions& options() const { return options_; }
    // The log, and how far it is written.
    [[nodiscard]] os::BorrowedFd log() const { return log_; }
    [[nodiscard]] std::uint64_t log_size() const { return mark_.log_size; }

  private:
    [[nodiscard]] bool direct() const;
    Result<std::size_t> move_directly();
    Result<std::size_t> move_by_spool();
    Result<std::size_t> move_past_spool();
    Result<void> deliver();
    Result<void> deliver_some();
    Result<void> deliver_all(std::span<const char>& from, Source source);
    Result<std::size_t> deliver_lines(std::span<const char> from, const Stamp& stamp, Source source);
    Result<void> write_line(std::string_view line, SpoolMark after) override;
    Result<void> write(std::span<const char> bytes, const SpoolMark& after);

    [[nodiscard]] bool is_full() const { return full_at_ != 0 && mark_.log_size >= full_at_; }
    void learn_line_end() override;
    Result<void> make_room();
    Result<bool> name_is_ours() const;

    Result<void> ready_log();
    Result<void> open_log_file();
    void recover(const os::FileInfo& found);
    void cut_elsewhere() const;
    [[nodiscard]] bool ends_inside_line(std::uint64_t size) const;
    [[nodiscard]] Error about_log(Error error) const;

    PumpOptions options_;
    os::UniqueFd log_;
    bool can_splice_ = true;
    bool went_directly_ = false;  // since the last commit
    bool recovered_ = false;      // nothing stands behind the mark in the log
    bool rotated_ = false;
    std::uint64_t full_at_ = 0;  // the size at which the log is rotated; 0: never
    std::optional<Error> rotation_fault_;
    std::function<void()> before_rotation_;
    std::optional<std::uint32_t> log_group_;
};

}  // namespace steward::log
