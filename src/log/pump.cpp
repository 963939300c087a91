#include "log/pump.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "log/log_file.hpp"
#include "log/stamper.hpp"
#include "os/error.hpp"
#include "os/file_lock.hpp"
#include "os/pipe.hpp"

namespace steward::log {

namespace {

constexpr std::size_t batch_size = std::size_t{256} * 1024;
// What is kept for a log that cannot be written.
constexpr std::size_t spool_limit = std::size_t{1024} * 1024;
// A spool that is smaller than this is not emptied after each line of a quiet service.
constexpr std::size_t spool_rest = std::size_t{16} * 1024;
constexpr std::size_t largest_pipe = std::size_t{1024} * 1024;
constexpr std::chrono::milliseconds lock_patience{200};

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
    if (auto delivered = deliver(); !delivered) return fail(delivered.error());
    if (owes()) return std::size_t{0};  // the rest of a line that was dropped is still to come
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
    return options_.timestamps == LogTimestamps::none && can_splice_;
}

Result<std::size_t> Pump::move_directly()
{
    auto moved = os::splice_to_file(fifo_, log_, mark_.log_size, largest_pipe);
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
    if (std::exchange(went_directly_, false)) mark_.in_line = ends_inside_line(mark_.log_size) ? 1 : 0;
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
        if (*moved >= left || *moved == 0) return {};
        left -= *moved;
    }
}

// ---- from the spool into the log -----------------------------------------------------------------------------------------------------

Result<void> Pump::deliver()
{
    while (spool_.pending() > 0) {
        if (auto delivered = deliver_some(); !delivered) return delivered;
    }
    if (mark_.lost_bytes > 0) {
        if (auto told = end_of_loss(); !told) return told;
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
        const auto done = stamp_lines(from, mark_.in_line != 0, stamp, output_buffer, output_buffer.size());
        SpoolMark after = mark_;
        after.consumed += done.taken;
        after.in_line = done.in_line ? 1 : 0;
        if (auto written = write(std::span<const char>(output_buffer).first(done.written), after); !written) return written;
        from = from.subspan(done.taken);
    }
    return {};
}

Result<void> Pump::write(std::span<const char> bytes, const SpoolMark& after)
{
    if (auto written = os::write_at(log_, std::as_bytes(bytes), mark_.log_size); !written) {
        // The part that was written is written again with the rest, or never.
        static_cast<void>(os::set_file_size(log_, mark_.log_size));
        return fail(about_log(written.error()));
    }
    SpoolMark next = after;
    next.log_size = mark_.log_size + bytes.size();
    return commit(next);
}

// A line of steward's own.
Result<void> Pump::write_line(std::string_view line)
{
    const Stamp stamp(options_.timestamps, std::chrono::system_clock::now());
    std::string text = mark_.in_line != 0 ? "\n" : "";
    text.append(stamp.text().begin(), stamp.text().end()).append(line).append("\n");
    SpoolMark after = mark_;
    after.in_line = 0;
    return write(text, after);
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
    if (options_.timestamps == LogTimestamps::none || mark_.in_line == 0 || !log_) return {};
    SpoolMark after = mark_;
    after.in_line = 0;
    return write(std::string_view("\n"), after);
}

// ---- a log that cannot be written ----------------------------------------------------------------------------------------------------

void Pump::absorb()
{
    // A mark must stand before there are bytes behind it; that nothing can be marked is no reason to let the service wait.
    if (std::exchange(went_directly_, false)) mark_.in_line = ends_inside_line(mark_.log_size) ? 1 : 0;
    const bool marked = mark_ == spool_.mark() || commit(mark_);
    while (marked && mark_.lost_bytes == 0 && spool_.size() < spool_limit) {
        const auto taken = spool_.take(fifo_, std::min<std::size_t>(batch_size, spool_limit - spool_.size()));
        if (!taken) break;
        if (*taken == 0) return;
    }
    discard();
}

void Pump::discard()
{
    SpoolMark after = mark_;
    for (;;) {
        const auto got = os::read_waiting(fifo_, std::as_writable_bytes(std::span(input_buffer)));
        if (!got || *got == 0) break;
        const auto bytes = std::span<const char>(input_buffer).first(*got);
        after.lost_bytes += *got;
        after.lost_lines += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
        inside_lost_line_ = bytes.back() != '\n';
    }
    if (after != mark_ && !commit(after)) mark_ = after;
}

// All that was kept is in the log: the gap comes next, and then the line after the last one that was dropped.
Result<void> Pump::end_of_loss()
{
    if (inside_lost_line_) {
        const auto skipped = skip_to_line_end();
        if (!skipped) return fail(skipped.error());
        if (!*skipped) return {};
    }
    const Loss loss{.lines = mark_.lost_lines, .bytes = mark_.lost_bytes};
    const std::string words = "steward: " + std::to_string(loss.lines) + " lines (" + std::to_string(loss.bytes) +
                              " bytes) were dropped here: the log could not be written";
    if (auto told = write_line(words); !told) return told;
    SpoolMark after = mark_;
    after.lost_lines = 0;
    after.lost_bytes = 0;
    told_loss_.lines += loss.lines;
    told_loss_.bytes += loss.bytes;
    if (auto committed = commit(after); !committed) return committed;
    return spool_.pending() > 0 ? deliver_some() : Result<void>();
}

// False: its end has not come yet.
Result<bool> Pump::skip_to_line_end()
{
    const auto buffer = std::span(input_buffer).first(4096);
    for (;;) {
        const auto got = os::read_waiting(fifo_, std::as_writable_bytes(buffer));
        if (!got) return fail(got.error());
        if (*got == 0) return false;
        const auto bytes = buffer.first(*got);
        const auto newline = std::find(bytes.begin(), bytes.end(), '\n');
        const bool found = newline != bytes.end();
        const auto lost = static_cast<std::size_t>(newline - bytes.begin()) + (found ? 1 : 0);
        SpoolMark after = mark_;
        after.lost_bytes += lost;
        after.lost_lines += found ? 1 : 0;
        if (auto committed = commit(after); !committed) return fail(committed.error());
        if (!found) continue;
        inside_lost_line_ = false;
        if (lost == bytes.size()) return true;
        if (auto kept = spool_.append(std::as_bytes(bytes.subspan(lost))); !kept) return fail(kept.error());
        return true;
    }
}

// ---- the log -------------------------------------------------------------------------------------------------------------------------

// Looked at before each move: somebody may have removed it, cut it or written to it.
Result<void> Pump::ready_log()
{
    if (!log_) return open_log_file();
    const auto found = os::info(log_);
    if (!found) return fail(found.error());
    if (found->links == 0) {
        log_.reset();
        return open_log_file();
    }
    if (found->size == mark_.log_size) return {};
    mark_.log_size = found->size;
    mark_.in_line = ends_inside_line(found->size) ? 1 : 0;
    return mark_.consumed < spool_.size() ? commit(mark_) : Result<void>();
}

Result<void> Pump::open_log_file()
{
    auto log = open_log({.path = options_.path, .system_scope = options_.system_scope, .append = false});
    if (!log) return fail(log.error());
    // Who writes at places of its own choosing must be the only one. A killed predecessor's child may hold its copy for a moment.
    if (const auto locked = os::lock(*log, 0, lock_patience); !locked && locked.error().code == ErrorCode::timed_out) {
        return fail(
            Error{.operation = "write to", .object = "log file " + os::quoted(options_.path), .cause = "another service writes it"});
    }
    auto found = os::info(*log);
    if (!found) return fail(found.error());
    log_ = std::move(*log);
    if (spool_.pending() > 0) {
        recover(*found);
        found = os::info(log_);
        if (!found) return fail(found.error());
    }
    const bool as_left = found->inode == mark_.log_inode && found->device == mark_.log_device && found->size == mark_.log_size;
    SpoolMark opened = mark_;
    opened.log_device = found->device;
    opened.log_inode = found->inode;
    opened.log_size = found->size;
    // A line that was begun in a log that has gone goes on in the new one.
    if (!as_left && found->size != 0) opened.in_line = ends_inside_line(found->size) ? 1 : 0;
    return commit(opened);
}

// What stands behind the mark is a part of what the spool still holds.
void Pump::recover(const os::FileInfo& found)
{
    const SpoolMark& mark = spool_.mark();
    if (found.inode != mark.log_inode || found.device != mark.log_device) return cut_elsewhere();
    if (found.size > mark.log_size) static_cast<void>(os::set_file_size(log_, mark.log_size));
}

// The log was renamed before its writer was killed.
void Pump::cut_elsewhere() const
{
    const SpoolMark& mark = spool_.mark();
    const std::string directory = os::parent_of(options_.path);
    const auto names = os::list_directory(directory);
    if (!names) return;
    const std::string prefix = os::base_of(options_.path);
    for (const std::string& name : *names) {
        if (!name.starts_with(prefix)) continue;
        const auto file = os::open_trusted(directory + "/" + name, {.write = true});
        const auto found = file ? os::info(*file) : Result<os::FileInfo>(tl::unexpected(file.error()));
        if (!found || found->inode != mark.log_inode || found->device != mark.log_device) continue;
        if (found->size > mark.log_size) static_cast<void>(os::set_file_size(*file, mark.log_size));
        return;
    }
}

bool Pump::ends_inside_line(std::uint64_t size) const
{
    if (size == 0) return false;
    char last = '\n';
    const auto got = os::read_at(log_, std::as_writable_bytes(std::span(&last, 1)), size - 1);
    return got && *got == 1 && last != '\n';
}

}  // namespace steward::log
