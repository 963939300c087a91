// What is the same wherever a program's output goes: it leaves the FIFO by splice only, waits in a spool for who brings it on, and where that
// cannot be done now, is kept up to a bound and counted beyond it, so that the service never waits for a disk or for another daemon.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "log/spool.hpp"

namespace steward::log {

struct Loss {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    explicit operator bool() const { return lines != 0 || bytes != 0; }
};

class Intake {
  public:
    virtual ~Intake() = default;
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    // Makes ready to move, and brings what a killed predecessor has left in the spool.
    virtual Result<void> open() = 0;
    // Some of what waits, but not all: one stream does not hold up the others. The bytes taken from the FIFO; 0: nothing waited.
    virtual Result<std::size_t> move() = 0;
    // After a move() that failed, until one succeeds: takes what waits out of the FIFO, whatever becomes of it.
    void absorb();
    // Everything that was in the FIFO when it was called, and in the spool. A fault ends with everything absorbed.
    virtual Result<void> drain();
    // The next program's first line is a line of its own.
    virtual Result<void> begin_launch() = 0;
    // What had to be dropped, told once after lines can be brought on again. A line among them says it too.
    [[nodiscard]] Loss take_loss() { return std::exchange(told_loss_, {}); }

    // After how long move() is to be called even if nothing comes, for a line that says what the rate limit has dropped. Unset: nothing to say.
    [[nodiscard]] std::optional<std::chrono::microseconds> report_after() const;

    // Something was taken that is not where it is to go yet, or the count of what never will be.
    [[nodiscard]] bool owes() const { return spool_.pending() > 0 || mark_.lost_bytes > 0; }

    // How much was lost is not told yet, perhaps because it is not known.
    [[nodiscard]] bool owes_count() const { return mark_.lost_bytes > 0; }

    [[nodiscard]] os::BorrowedFd fifo() const { return fifo_; }

  protected:
    // `fifo` is lent for this object's life.
    Intake(const RateLimit& limit, os::BorrowedFd fifo, Spool spool);

    // Where bytes in hand came from: the spool has them still, or nobody else has.
    enum class Source { spool, fifo };

    // A line of steward's own.
    virtual Result<void> write_line(std::string_view line, SpoolMark after) = 0;
    virtual void learn_line_end() {}

    // From the FIFO into the spool, whose mark must say all that is known before, or nothing. EINVAL: the spool's file system cannot.
    Result<std::size_t> splice();
    // What was read out of the FIFO: into the spool.
    Result<void> append(std::span<const char> bytes);
    // The same of what cannot be brought on now; or it is counted. The error is the spool's.
    Result<void> keep(std::span<const char> bytes);
    void grow_pipe_after(std::size_t taken);
    [[nodiscard]] bool is_limited() const { return rate_limit_.lines != 0; }
    Result<void> report_dropped();
    Result<void> report_if_due();
    // The bytes of a line that was dropped in part, which are dropped too. Before anything else is taken.
    std::size_t skip_to_line_end();
    Result<void> tell_loss();
    // What is written is given back, when it is worth it.
    Result<void> shrink_spool();
    Result<void> commit(const SpoolMark& mark);
    Result<void> commit_what_is_known();
    // For one move at a time, of whichever stream: this code runs in one thread.
    [[nodiscard]] static std::span<char> buffer();

    RateLimit rate_limit_;  // NOLINT(*-non-private-member-variables-in-classes)
    os::BorrowedFd fifo_;   // NOLINT(*-non-private-member-variables-in-classes)
    Spool spool_;           // NOLINT(*-non-private-member-variables-in-classes)
    SpoolMark mark_;        // NOLINT(*-non-private-member-variables-in-classes): as of the last byte; the spool's own may lag behind

  private:
    Result<std::size_t> take_at_most(std::size_t limit);
    void discard();
    void count_lost(std::span<const char> bytes);

    bool grown_ = false;
    Loss told_loss_;
};

}  // namespace steward::log
