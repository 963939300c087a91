#include "log/pump.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "log/stamper.hpp"
#include "os/error.hpp"
#include "os/pipe.hpp"

namespace steward::log {

namespace {

constexpr std::size_t largest_move = std::size_t{1024} * 1024;
constexpr std::size_t smallest_move = 4096;
constexpr std::size_t input_size = std::size_t{64} * 1024;

// As Intake::buffer().
std::array<char, std::size_t{128} * 1024> output_buffer;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

Pump::Pump(PumpOptions options, os::BorrowedFd fifo, Spool spool)
    : Intake(options.rate_limit, fifo, std::move(spool)), options_(std::move(options))
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
    if (mark_.inside_lost != 0) return skipped;
    const auto taken = direct() ? move_directly() : move_by_spool();
    if (taken) grow_pipe_after(*taken);
    return taken;
}

bool Pump::direct() const
{
    // A full log is cut between lines, so they are looked at.
    return options_.timestamps == LogTimestamps::none && can_splice_ && !is_limited() && !is_full();
}

Result<std::size_t> Pump::move_directly()
{
    const std::uint64_t room = full_at_ == 0 ? largest_move : full_at_ - mark_.log_size;
    auto moved = os::splice_to_file(fifo_, log_, mark_.log_size, std::min<std::uint64_t>(room, largest_move));
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
    auto taken = splice();
    if (!taken) return move_past_spool();
    if (*taken == 0) return taken;
    if (auto delivered = deliver(); !delivered) return fail(delivered.error());
    return taken;
}

// Where the spool has no room the log may have some: what is read is in nobody else's hands for a moment.
Result<std::size_t> Pump::move_past_spool()
{
    std::array<char, smallest_move> block{};
    const auto got = os::read_waiting(fifo_, std::as_writable_bytes(std::span(block)));
    if (!got || *got == 0) return got;
    auto from = std::span<const char>(block).first(*got);
    if (auto delivered = deliver_all(from, Source::fifo); !delivered) {
        static_cast<void>(keep(from));
        return fail(delivered.error());
    }
    return got;
}

// ---- from the spool into the log -----------------------------------------------------------------------------------------------------

Result<void> Pump::deliver()
{
    while (spool_.pending() > 0) {
        if (auto delivered = deliver_some(); !delivered) return delivered;
    }
    if (mark_.lost_bytes > 0 && mark_.inside_lost == 0) {
        if (auto told = tell_loss(); !told) return told;
    }
    if (auto reported = report_if_due(); !reported) return reported;
    return shrink_spool();
}

Result<void> Pump::deliver_some()
{
    const auto got = spool_.read(std::as_writable_bytes(buffer().first(input_size)));
    if (!got) return fail(got.error());
    if (*got == 0) return fail(Error{.operation = "read", .object = "the spool", .cause = "it was cut by somebody else", .next_step = {}});
    auto from = std::span<const char>(buffer()).first(*got);
    return deliver_all(from, Source::spool);
}

// `from` becomes what is left of it.
Result<void> Pump::deliver_all(std::span<const char>& from, Source source)
{
    const Stamp stamp(options_.timestamps, std::chrono::system_clock::now());
    while (!from.empty()) {
        const auto taken = deliver_lines(from, stamp, source);
        if (!taken) return fail(taken.error());
        from = from.subspan(*taken);
    }
    return {};
}

Result<std::size_t> Pump::deliver_lines(std::span<const char> from, const Stamp& stamp, Source source)
{
    const auto now = is_limited() ? std::chrono::steady_clock::now() : GateTime();
    if (is_limited()) {
        if (auto reported = report_if_due(); !reported) return fail(reported.error());
        const auto verdict = judge_rate(options_.rate_limit, mark_.gate, from, mark_.in_line != 0, now);
        from = from.first(verdict.bytes);
        if (!verdict.passes) {
            SpoolMark after = mark_;
            if (source == Source::spool) after.consumed += verdict.bytes;
            after.gate = verdict.after;
            if (auto committed = commit(after); !committed) return fail(committed.error());
            return verdict.bytes;
        }
    }
    if (auto made = make_room(); !made) return fail(made.error());
    const std::size_t enough = full_at_ == 0 ? output_buffer.size() : full_at_ - std::min(full_at_, mark_.log_size);
    const auto done = stamp_lines(from, mark_.in_line != 0, stamp, output_buffer, enough);
    SpoolMark after = mark_;
    if (source == Source::spool) after.consumed += done.taken;
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

Error Pump::about_log(Error error) const
{
    error.operation = "write to";
    error.object = "log file " + os::quoted(options_.path);
    return error;
}

Result<void> Pump::begin_launch()
{
    mark_.gate.inside_dropped = 0;
    mark_.inside_lost = 0;
    if (options_.timestamps == LogTimestamps::none || mark_.in_line == 0 || !log_) return commit_what_is_known();
    SpoolMark after = mark_;
    after.in_line = 0;
    return mark_.log_size == 0 ? commit(after) : write(std::string_view("\n"), after);
}

}  // namespace steward::log
