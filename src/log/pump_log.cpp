// Pump: the log that it writes, opened, looked after, and put aside when it is full.
#include <algorithm>
#include <array>

#include "log/log_file.hpp"
#include "log/pump.hpp"
#include "os/error.hpp"
#include "os/file_lock.hpp"

namespace steward::log {

namespace {

constexpr std::chrono::milliseconds lock_patience{200};

}  // namespace

// What went directly was not looked at.
void Pump::learn_line_end()
{
    if (std::exchange(went_directly_, false)) mark_.in_line = ends_inside_line(mark_.log_size) ? 1 : 0;
}

// ---- rotation --------------------------------------------------------------------------------------------------------------------------

// A full log is put aside between two lines, or inside one that is as long again.
Result<void> Pump::make_room()
{
    if (!is_full() || (mark_.in_line != 0 && mark_.log_size < full_at_ * 2)) return {};
    auto rotated = rotate();
    if (rotated || !log_) return rotated;
    // That it cannot be put aside is no reason to lose lines.
    rotation_fault_ = rotated.error();
    full_at_ = mark_.log_size + options_.rotation.max_size;
    return {};
}

Result<void> Pump::rotate()
{
    if (auto ready = ready_log(); !ready) return ready;
    if (mark_.log_size == 0) return {};
    learn_line_end();
    const auto ours = name_is_ours();
    if (!ours) return fail(ours.error());
    if (!*ours) return reopen();
    const auto directory = open_log_directory(options_.path);
    if (!directory) return fail(directory.error());
    if (before_rotation_) before_rotation_();
    if (auto moved = rotate_files(*directory, os::base_of(options_.path), mark_.log_size, options_.rotation); !moved) {
        Error error = moved.error();
        error.operation = "rotate";
        error.object = "log file " + os::quoted(options_.path);
        return fail(std::move(error));
    }
    rotated_ = true;
    return open_log_file();
}

Result<void> Pump::reopen()
{
    if (auto ready = ready_log(); !ready) return ready;
    learn_line_end();
    const auto ours = name_is_ours();
    if (!ours) return fail(ours.error());
    return *ours ? Result<void>() : open_log_file();
}

Result<bool> Pump::name_is_ours() const
{
    const auto found = os::info_at(options_.path);
    if (!found) return fail(found.error());
    return *found && (*found)->inode == mark_.log_inode && (*found)->device == mark_.log_device;
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
    log_.reset();
    auto log = open_log({.path = options_.path, .system_scope = options_.system_scope, .append = false, .group = log_group_});
    if (!log) return fail(log.error());
    // Who writes at places of its own choosing must be the only one. A killed predecessor's child may hold its copy for a moment.
    if (const auto locked = os::lock(*log, 0, lock_patience); !locked && locked.error().code == ErrorCode::timed_out) {
        return fail(
            Error{.operation = "write to", .object = "log file " + os::quoted(options_.path), .cause = "another service writes it"});
    }
    auto found = os::info(*log);
    if (!found) return fail(found.error());
    log_ = std::move(*log);
    if (!std::exchange(recovered_, true)) {
        if (owes()) recover(*found);
        if (const auto directory = open_log_directory(options_.path))
            static_cast<void>(tidy_rotated(*directory, os::base_of(options_.path)));
        found = os::info(log_);
        if (!found) return fail(found.error());
    }
    const bool as_left = found->inode == mark_.log_inode && found->device == mark_.log_device && found->size == mark_.log_size;
    SpoolMark opened = mark_;
    opened.log_device = found->device;
    opened.log_inode = found->inode;
    opened.log_size = found->size;
    full_at_ = options_.rotation.max_size;
    log_group_ = found->gid;
    // A line that was begun in a log that has gone goes on in the new one.
    if (!as_left && found->size != 0) opened.in_line = ends_inside_line(found->size) ? 1 : 0;
    return commit(opened);
}

// What stands behind the mark is a part of what the spool still holds, or of the line that tells of a loss.
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
