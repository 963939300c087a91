#include "log/pump.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "log/stamper.hpp"
#include "os/error.hpp"
#include "os/pipe.hpp"

namespace steward::log {

namespace {

constexpr std::size_t batch_size = std::size_t{256} * 1024;
// What is kept for a log that cannot be written.
constexpr std::size_t spool_limit = std::size_t{1024} * 1024;
// A spool that is smaller than this is not emptied after each line of a quiet service.
constexpr std::size_t spool_rest = std::size_t{16} * 1024;
constexpr std::size_t largest_pipe = std::size_t{1024} * 1024;
// Of a line of which a part was dropped, in one move.
constexpr std::size_t longest_skip = std::size_t{64} * 1024;

// For one move at a time, of whichever pump: this code runs in one thread.
std::array<char, std::size_t{64} * 1024> input_buffer;    // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::array<char, std::size_t{128} * 1024> output_buffer;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

Pump::Pump(PumpOptions options, os::BorrowedFd fifo, Spool spool)
    : options_(std::move(options)), fifo_(fifo), spool_(std::move(spool)), mark_(spool_.mark())
{
}

// ---- moving --------------------------------------------------------------------------------------------------------------------------

Result<void> Pump::open()
{
    auto ready = ready_log();
    return ready ? deliver() : ready;
}

Result<std::size_t> Pump::move()
{
    if (auto ready = ready_log(); !ready) return fail(ready.error());
    const std::size_t skipped = skip_to_line_end();
    if (auto delivered = deliver(); !delivered) return fail(delivered.error());
    if (inside_lost_line_) return skipped;
    const auto taken = direct() ? move_directly() : move_by_spool();
    if (taken && !grown_ && *taken >= os::pipe_capacity(fifo_)) {
        // Only for whom it helps: a thousand quiet services need no large pipes.
        grown_ = true;
        os::grow_pipe(fifo_, largest_pipe);
    }
    return taken;
}

bool Pump::direct() const
{
    // A full log is cut between lines, so they are looked at.
    return options_.timestamps == LogTimestamps::none && can_splice_ && !is_limited() && !is_full();
}

Result<std::size_t> Pump::move_directly()
{
    const std::uint64_t room = full_at_ == 0 ? largest_pipe : full_at_ - mark_.log_size;
    auto moved = os::splice_to_file(fifo_, log_, mark_.log_size, std::min<std::uint64_t>(room, largest_pipe));
    if (!moved && moved.error().os_errno == EINVAL) {
        can_splice_ = false;
        return move_by_spool();
    }
    if (!moved) return fail(about_log(moved.error()));
    mark_.log_size += *moved;
    went_directly_ = went_directly_ || *moved != 0;
    return moved;
}

Result<std::size_t> Pump::move_by_spool()
{
    // The log's size must be known before there is anything that it would be cut back for.
    learn_line_end();
    if (mark_ != spool_.mark()) {
        if (auto committed = commit(mark_); !committed) return fail(committed.error());
    }
    auto taken = spool_.take(fifo_, batch_size);
    if (!taken || *taken == 0) return taken;
    if (auto delivered = deliver(); !delivered) return fail(delivered.error());
    return taken;
}

Result<void> Pump::drain()
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

// ---- from the spool into the log -----------------------------------------------------------------------------------------------------

Result<void> Pump::deliver()
{
    while (spool_.pending() > 0) {
        if (auto delivered = deliver_some(); !delivered) return delivered;
    }
    if (mark_.lost_bytes > 0 && !inside_lost_line_) {
        if (auto told = tell_loss(); !told) return told;
    }
    if (is_limited() && is_report_due(options_.rate_limit, mark_.gate, std::chrono::steady_clock::now())) {
        if (auto reported = report_dropped(); !reported) return reported;
    }
    if (spool_.size() < spool_rest) return {};
    auto emptied = spool_.empty();
    mark_.consumed = spool_.mark().consumed;
    return emptied;
}

Result<void> Pump::deliver_some()
{
    const Stamp stamp(options_.timestamps, std::chrono::system_clock::now());
    const auto got = spool_.read(std::as_writable_bytes(std::span(input_buffer)));
    if (!got) return fail(got.error());
    if (*got == 0) return fail(Error{.operation = "read", .object = "the spool", .cause = "it was cut by somebody else", .next_step = {}});
    auto from = std::span<const char>(input_buffer).first(*got);
    while (!from.empty()) {
        const auto taken = deliver_lines(from, stamp);
        if (!taken) return fail(taken.error());
        from = from.subspan(*taken);
    }
    return {};
}

Result<std::size_t> Pump::deliver_lines(std::span<const char> from, const Stamp& stamp)
{
    const auto now = is_limited() ? std::chrono::steady_clock::now() : GateTime();
    if (is_limited()) {
        if (is_report_due(options_.rate_limit, mark_.gate, now)) {
            if (auto reported = report_dropped(); !reported) return fail(reported.error());
        }
        const auto verdict = judge_rate(options_.rate_limit, mark_.gate, from, mark_.in_line != 0, now);
        from = from.first(verdict.bytes);
        if (!verdict.passes) {
            SpoolMark after = mark_;
            after.consumed += verdict.bytes;
            after.gate = verdict.after;
            if (auto committed = commit(after); !committed) return fail(committed.error());
            return verdict.bytes;
        }
    }
    if (auto made = make_room(); !made) return fail(made.error());
    const std::size_t enough = full_at_ == 0 ? output_buffer.size() : full_at_ - std::min(full_at_, mark_.log_size);
    const auto done = stamp_lines(from, mark_.in_line != 0, stamp, output_buffer, enough);
    SpoolMark after = mark_;
    after.consumed += done.taken;
    after.in_line = done.in_line ? 1 : 0;
    if (is_limited()) after.gate = judge_rate(options_.rate_limit, mark_.gate, from.first(done.taken), mark_.in_line != 0, now).after;
    if (auto written = write(std::span<const char>(output_buffer).first(done.written), after); !written) return fail(written.error());
    return done.taken;
}

Result<void> Pump::write(std::span<const char> bytes, const SpoolMark& after)
{
    SpoolMark next = after;
    next.log_size = mark_.log_size + bytes.size();
    auto written = os::write_at(log_, std::as_bytes(bytes), mark_.log_size);
    written = written ? commit(next) : fail(about_log(written.error()));
    // What is not marked as written is written again with the rest, or never.
    if (!written) static_cast<void>(os::set_file_size(log_, mark_.log_size));
    return written;
}

// A line of steward's own.
Result<void> Pump::write_line(std::string_view line, SpoolMark after)
{
    const Stamp stamp(options_.timestamps, std::chrono::system_clock::now());
    std::string text = mark_.in_line != 0 ? "\n" : "";
    text.append(stamp.text().begin(), stamp.text().end()).append(line).append("\n");
    after.in_line = 0;
    return write(text, after);
}

std::optional<std::chrono::microseconds> Pump::report_after() const
{
    if (!is_limited() || mark_.gate.dropped_bytes == 0) return std::nullopt;
    return left_of_window(options_.rate_limit, mark_.gate, std::chrono::steady_clock::now());
}

Result<void> Pump::report_dropped()
{
    const auto& [lines, window] = options_.rate_limit;
    SpoolMark after = mark_;
    after.gate.dropped_lines = 0;
    after.gate.dropped_bytes = 0;
    const bool seconds = window.count() % 1'000'000 == 0;
    const std::string time = std::to_string(window.count() / (seconds ? 1'000'000 : 1'000)) + (seconds ? " s" : " ms");
    return write_line("steward: " + std::to_string(mark_.gate.dropped_lines) + " lines (" + std::to_string(mark_.gate.dropped_bytes) +
                          " bytes) were dropped here: more than " + std::to_string(lines) + " lines in " + time,
                      after);
}

Error Pump::about_log(Error error) const
{
    error.operation = "write to";
    error.object = "log file " + os::quoted(options_.path);
    return error;
}

Result<void> Pump::commit(const SpoolMark& mark)
{
    if (auto committed = spool_.set_mark(mark); !committed) return committed;
    mark_ = mark;
    return {};
}

Result<void> Pump::begin_launch()
{
    SpoolMark after = mark_;
    after.gate.inside_dropped = 0;
    inside_lost_line_ = false;
    if (options_.timestamps == LogTimestamps::none || mark_.in_line == 0 || !log_) return after == mark_ ? Result<void>() : commit(after);
    after.in_line = 0;
    return mark_.log_size == 0 ? commit(after) : write(std::string_view("\n"), after);
}

// ---- a log that cannot be written ----------------------------------------------------------------------------------------------------

void Pump::absorb()
{
    // A mark must stand before there are bytes behind it; that nothing can be marked is no reason to let the service wait.
    learn_line_end();
    const bool marked = mark_ == spool_.mark() || commit(mark_);
    while (marked && mark_.lost_bytes == 0 && !inside_lost_line_ && spool_.size() < spool_limit) {
        const auto taken = spool_.take(fifo_, std::min<std::size_t>(batch_size, spool_limit - spool_.size()));
        if (!taken) break;
        if (*taken == 0) return;
    }
    discard();
}

// What waits now, and no more: who writes faster than it is read would never let its reader go.
void Pump::discard()
{
    SpoolMark after = mark_;
    for (std::size_t left = os::bytes_waiting(fifo_); left > 0;) {
        const auto got =
            os::read_waiting(fifo_, std::as_writable_bytes(std::span(input_buffer)).first(std::min(left, input_buffer.size())));
        if (!got || *got == 0) break;
        left -= *got;
        const auto bytes = std::span<const char>(input_buffer).first(*got);
        after.lost_bytes += *got;
        after.lost_lines += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
        inside_lost_line_ = bytes.back() != '\n';
    }
    if (after != mark_ && !commit(after)) mark_ = after;
}

// A line whose beginning was dropped is dropped to its end, or as far as it has come: byte by byte, so that nothing of what follows is in the
// hands of this process alone.
std::size_t Pump::skip_to_line_end()
{
    SpoolMark after = mark_;
    std::size_t skipped = 0;
    for (char byte = 0; inside_lost_line_ && skipped < longest_skip; ++skipped) {
        const auto got = os::read_waiting(fifo_, std::as_writable_bytes(std::span(&byte, 1)));
        if (!got || *got == 0) break;
        inside_lost_line_ = byte != '\n';
    }
    after.lost_bytes += skipped;
    after.lost_lines += skipped > 0 && !inside_lost_line_ ? 1 : 0;
    if (after != mark_ && !commit(after)) mark_ = after;
    return skipped;
}

// All that was kept is in the log: the gap comes next.
Result<void> Pump::tell_loss()
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
