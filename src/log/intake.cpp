#include "log/intake.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/pipe.hpp"

namespace steward::log {

namespace {

constexpr std::size_t batch_size = std::size_t{256} * 1024;
// What is kept while it cannot be brought on.
constexpr std::size_t spool_limit = std::size_t{1024} * 1024;
// A spool that is smaller than this is not emptied after each line of a quiet service.
constexpr std::size_t spool_rest = std::size_t{16} * 1024;
constexpr std::size_t largest_pipe = std::size_t{1024} * 1024;
// Of a line of which a part was dropped, in one move.
constexpr std::size_t longest_skip = std::size_t{64} * 1024;

std::array<char, batch_size> shared_buffer;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

Intake::Intake(const RateLimit& limit, os::BorrowedFd fifo, Spool spool)
    : rate_limit_(limit), fifo_(fifo), spool_(std::move(spool)), mark_(spool_.mark())
{
}

std::span<char> Intake::buffer()
{
    return shared_buffer;
}

Result<void> Intake::drain()
{
    std::size_t left = os::bytes_waiting(fifo_);
    for (;;) {
        const auto moved = move();
        if (!moved) {
            absorb();
            return fail(moved.error());
        }
        if (*moved >= left || *moved == 0) break;
        left -= *moved;
    }
    if (mark_.lost_bytes > 0) {
        if (auto told = tell_loss(); !told) return told;
    }
    return mark_.gate.dropped_bytes != 0 ? report_dropped() : Result<void>();
}

Result<std::size_t> Intake::splice()
{
    auto marked = commit_what_is_known();
    return marked ? spool_.take(fifo_, batch_size) : fail(marked.error());
}

Result<std::size_t> Intake::take_at_most(std::size_t limit)
{
    auto taken = spool_.take(fifo_, limit);
    if (taken || taken.error().os_errno != EINVAL) return taken;
    // A file system without splice: what is read is in nobody else's hands for a moment.
    std::array<char, 4096> block{};
    auto got = os::read_waiting(fifo_, std::as_writable_bytes(std::span(block).first(std::min(limit, block.size()))));
    if (!got || *got == 0) return got;
    auto kept = keep(std::span(block).first(*got));
    return kept ? got : fail(kept.error());
}

Result<void> Intake::append(std::span<const char> bytes)
{
    auto marked = commit_what_is_known();
    return marked ? spool_.append(std::as_bytes(bytes)) : marked;
}

Result<void> Intake::keep(std::span<const char> bytes)
{
    auto kept = append(bytes);
    if (!kept) count_lost(bytes);
    return kept;
}

void Intake::grow_pipe_after(std::size_t taken)
{
    // Only for whom it helps: a thousand quiet services need no large pipes.
    if (grown_ || taken < os::pipe_capacity(fifo_)) return;
    grown_ = true;
    os::grow_pipe(fifo_, largest_pipe);
}

Result<void> Intake::shrink_spool()
{
    if (spool_.mark().consumed < spool_rest) return {};
    auto shrunk = spool_.shrink();
    mark_.consumed = spool_.mark().consumed;
    return shrunk;
}

Result<void> Intake::commit_what_is_known()
{
    return mark_ == spool_.mark() ? Result<void>() : commit(mark_);
}

Result<void> Intake::commit(const SpoolMark& mark)
{
    if (auto committed = spool_.set_mark(mark); !committed) return committed;
    mark_ = mark;
    return {};
}

// ---- the rate limit --------------------------------------------------------------------------------------------------------------------

std::optional<std::chrono::microseconds> Intake::report_after() const
{
    if (!is_limited() || mark_.gate.dropped_bytes == 0) return std::nullopt;
    return left_of_window(rate_limit_, mark_.gate, std::chrono::steady_clock::now());
}

Result<void> Intake::report_if_due()
{
    if (!is_limited() || !is_report_due(rate_limit_, mark_.gate, std::chrono::steady_clock::now())) return {};
    return report_dropped();
}

Result<void> Intake::report_dropped()
{
    const auto& [lines, window] = rate_limit_;
    SpoolMark after = mark_;
    after.gate.dropped_lines = 0;
    after.gate.dropped_bytes = 0;
    const bool seconds = window.count() % 1'000'000 == 0;
    const std::string time = std::to_string(window.count() / (seconds ? 1'000'000 : 1'000)) + (seconds ? " s" : " ms");
    return write_line("steward: " + std::to_string(mark_.gate.dropped_lines) + " lines (" + std::to_string(mark_.gate.dropped_bytes) +
                          " bytes) were dropped here: more than " + std::to_string(lines) + " lines in " + time,
                      after);
}

// ---- what cannot be brought on ---------------------------------------------------------------------------------------------------------

void Intake::absorb()
{
    // A mark must stand before there are bytes behind it; that nothing can be marked is no reason to let the service wait.
    learn_line_end();
    const bool marked = commit_what_is_known().has_value();
    while (marked && mark_.lost_bytes == 0 && mark_.inside_lost == 0 && spool_.size() < spool_limit) {
        const auto taken = take_at_most(std::min<std::size_t>(batch_size, spool_limit - spool_.size()));
        if (!taken) break;
        if (*taken == 0) return;
    }
    discard();
}

// What waits now, and no more: who writes faster than it is read would never let its reader go.
void Intake::discard()
{
    for (std::size_t left = os::bytes_waiting(fifo_); left > 0;) {
        const auto got = os::read_waiting(fifo_, std::as_writable_bytes(buffer().first(std::min(left, buffer().size()))));
        if (!got || *got == 0) break;
        left -= *got;
        count_lost(buffer().first(*got));
    }
}

void Intake::count_lost(std::span<const char> bytes)
{
    SpoolMark after = mark_;
    after.lost_bytes += bytes.size();
    after.lost_lines += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    after.inside_lost = bytes.back() != '\n' ? 1 : 0;
    if (!commit(after)) mark_ = after;
}

// A line whose beginning was dropped is dropped to its end, or as far as it has come: byte by byte, so that nothing of what follows is in the
// hands of this process alone.
std::size_t Intake::skip_to_line_end()
{
    SpoolMark after = mark_;
    std::size_t skipped = 0;
    for (char byte = 0; after.inside_lost != 0 && skipped < longest_skip; ++skipped) {
        const auto got = os::read_waiting(fifo_, std::as_writable_bytes(std::span(&byte, 1)));
        if (!got || *got == 0) break;
        after.inside_lost = byte != '\n' ? 1 : 0;
    }
    after.lost_bytes += skipped;
    after.lost_lines += skipped > 0 && after.inside_lost == 0 ? 1 : 0;
    if (after != mark_ && !commit(after)) mark_ = after;
    return skipped;
}

// All that was kept is brought on: the gap comes next.
Result<void> Intake::tell_loss()
{
    const Loss loss{.lines = mark_.lost_lines, .bytes = mark_.lost_bytes};
    const std::string words = "steward: " + std::to_string(loss.lines) + " lines (" + std::to_string(loss.bytes) +
                              " bytes) were dropped here: the log could not be written";
    SpoolMark after = mark_;
    after.lost_lines = 0;
    after.lost_bytes = 0;
    after.gate.inside_dropped = 0;
    if (auto told = write_line(words, after); !told) return told;
    told_loss_.lines += loss.lines;
    told_loss_.bytes += loss.bytes;
    return {};
}

}  // namespace steward::log
