#include "log/log_file.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <span>
#include <string_view>

#include "log/rotated_lines.hpp"
#include "os/account.hpp"
#include "os/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "os/trust.hpp"

namespace steward::log {

namespace {

constexpr std::size_t tail_limit = std::size_t{64} * 1024;

Error log_error(const std::string& path, std::string cause, std::string next_step = {})
{
    return {.operation = "open", .object = "log file " + os::quoted(path), .cause = std::move(cause), .next_step = std::move(next_step)};
}

Error about(Error error, const char* operation, const std::string& path)
{
    error.operation = operation;
    error.object = "log file " + os::quoted(path);
    return error;
}

// Debian's adm may read logs; Ubuntu's syslog owns /var/log together with root.
std::vector<std::uint32_t> groups_of_logs()
{
    std::vector<std::uint32_t> groups = {0};
    for (const char* name : {"adm", "syslog"}) {
        if (const auto group = os::find_group(name)) groups.push_back(*group);
    }
    return groups;
}

// Only root has more to lose than the one who could write there (CVE-2016-1247).
Result<void> judge_directory(os::BorrowedFd directory, const std::string& path)
{
    if (os::effective_uid() != 0) return {};
    auto distrusted = os::distrust(directory, {});
    // The name service is asked only where a group can write at all.
    if (distrusted && *distrusted) distrusted = os::distrust(directory, {.owner = 0, .groups = groups_of_logs()});
    if (!distrusted) return fail(about(distrusted.error(), "open", path));
    if (!*distrusted) return {};
    return fail(log_error(path, **distrusted, "a log directory that belongs to root and that only root can write"));
}

// Looked at before it is opened: opening a device may do something, and opening a FIFO may fail in an unclear way.
Result<bool> exists_as_file(os::BorrowedFd directory, const std::string& path)
{
    const auto object = os::open_at(directory, os::base_of(path), {.path_only = true});
    if (!object && object.error().os_errno == ENOENT) return false;
    if (!object && object.error().os_errno == ELOOP) return fail(log_error(path, "it is a symbolic link"));
    if (!object) return fail(about(object.error(), "open", path));
    const auto found = os::info(*object);
    if (!found) return fail(about(found.error(), "open", path));
    if (found->kind != os::FileInfo::Kind::regular) return fail(log_error(path, "it is not a regular file"));
    if (found->uid != 0 && found->uid != os::effective_uid()) {
        return fail(log_error(path, "it belongs to user " + std::to_string(found->uid)));
    }
    // A second name could be any file of root's, linked there by somebody else.
    if (found->links != 1) return fail(log_error(path, "it has a second name (hard link)"));
    return true;
}

Result<os::UniqueFd> open_existing(os::BorrowedFd directory, const LogFileOptions& options)
{
    auto file = os::open_at(directory, os::base_of(options.path), {.read = !options.append, .write = true, .append = options.append});
    if (!file) return fail(about(file.error(), "open", options.path));
    return file;
}

// `text` starts in the middle of a line unless told otherwise: that line is left out, if another one remains.
std::vector<std::string> lines_of(std::string_view text, unsigned count, bool from_line_start)
{
    if (!from_line_start) {
        const auto newline = text.find('\n');
        if (newline != std::string_view::npos && newline + 1 < text.size()) text.remove_prefix(newline + 1);
    }
    if (text.ends_with('\n'))
        text.remove_suffix(1);
    else if (text.empty())
        return {};
    std::vector<std::string> lines;
    while (lines.size() < count) {
        const auto newline = text.rfind('\n');
        lines.emplace_back(newline == std::string_view::npos ? text : text.substr(newline + 1));
        if (newline == std::string_view::npos) break;
        text = text.substr(0, newline);
    }
    std::ranges::reverse(lines);
    return lines;
}

Result<std::string> read_range(os::BorrowedFd fd, std::uint64_t begin, std::uint64_t end)
{
    std::string text(static_cast<std::size_t>(end - begin), '\0');
    std::size_t filled = 0;
    while (filled < text.size()) {
        const auto got = os::read_at(fd, std::as_writable_bytes(std::span(text).subspan(filled)), begin + filled);
        if (!got) return fail(got.error());
        if (*got == 0) break;  // cut off while we read
        filled += *got;
    }
    text.resize(filled);
    return text;
}

Result<std::vector<std::string>> tail(os::BorrowedFd fd, std::uint64_t offset, unsigned count)
{
    const auto found = os::info(fd);
    if (!found) return fail(found.error());
    if (found->kind != os::FileInfo::Kind::regular) {
        return fail({.operation = "read", .object = "the log", .cause = "it is not a regular file", .next_step = {}});
    }
    if (offset > found->size) offset = 0;  // emptied since: all that stands there came later
    const std::uint64_t begin = std::max(offset, found->size > tail_limit ? found->size - tail_limit : 0);
    const auto text = read_range(fd, begin, found->size);
    if (!text) return fail(text.error());
    return lines_of(*text, count, begin == offset);
}

}  // namespace

Result<os::UniqueFd> open_log_directory(const std::string& path)
{
    const std::string parent = os::parent_of(path);
    // "/." makes the directory a component on the way, where root's own link is followed: /var/log on another disk.
    auto directory = os::open_trusted(parent + "/.", {.directory = true, .path_only = true});
    if (!directory && directory.error().os_errno == ENOENT) directory = os::make_directories(parent, 0755);
    if (!directory && directory.error().os_errno == ELOOP) {
        return fail(log_error(path, "its directory is reached through a symbolic link that another user could change"));
    }
    if (!directory) return fail(about(directory.error(), "open", path));
    if (const auto judged = judge_directory(*directory, path); !judged) return fail(judged.error());
    return directory;
}

Result<os::UniqueFd> make_log(os::BorrowedFd directory, const LogFileOptions& options)
{
    const os::OpenOptions anew{
        .read = !options.append, .write = true, .append = options.append, .create = true, .exclusive = true, .mode = 0600};
    auto file = os::open_at(directory, os::base_of(options.path), anew);
    if (!file) return fail(about(file.error(), "open", options.path));
    if (options.system_scope && os::effective_uid() == 0) {
        // Without adm, or in a user namespace without it, the log is root's alone.
        const auto adm = options.group ? Result<std::uint32_t>(*options.group) : os::find_group("adm");
        if (adm) (void)os::change_owner(*file, 0, *adm);
    }
    if (const auto set = os::change_mode(*file, 0640); !set) return fail(about(set.error(), "open", options.path));
    return file;
}

Result<os::UniqueFd> open_log(const LogFileOptions& given)
{
    const LogFileOptions options{
        .path = os::absolute(given.path), .system_scope = given.system_scope, .append = given.append, .group = given.group};
    const auto directory = open_log_directory(options.path);
    if (!directory) return fail(directory.error());
    for (;;) {
        const auto exists = exists_as_file(*directory, options.path);
        if (!exists) return fail(exists.error());
        auto file = *exists ? open_existing(*directory, options) : make_log(*directory, options);
        const bool raced = !file && file.error().os_errno == (*exists ? ENOENT : EEXIST);  // rotated, or made by another supervisor
        if (!raced) return file;
    }
}

Result<std::vector<std::string>> last_lines(const std::string& path, unsigned count)
{
    const auto file = os::open_trusted(path, {.read = true});
    const bool missing = !file && (file.error().os_errno == ENOENT || file.error().os_errno == ENOTDIR);
    if (!file && !missing) return fail(about(file.error(), "read", path));
    auto lines = missing ? std::vector<std::string>{} : tail(*file, 0, count);
    if (!lines) return fail(about(lines.error(), "read", path));
    const auto found = missing ? os::FileInfo{} : os::info(*file);
    if (lines->size() < count && found && found->size < tail_limit) {
        auto earlier = last_rotated_lines(path, count - lines->size());
        lines->insert(lines->begin(), std::make_move_iterator(earlier.begin()), std::make_move_iterator(earlier.end()));
    }
    return lines;
}

Result<std::vector<std::string>> last_lines_after(os::BorrowedFd fd, std::uint64_t offset, unsigned count)
{
    auto lines = tail(fd, offset, count);
    if (lines || lines.error().os_errno != EBADF) return lines;
    // Open for appending only, as open_log gives it.
    const auto readable = os::open_following("/proc/self/fd/" + std::to_string(fd.get()), {.read = true});
    if (!readable) return fail(readable.error());
    return tail(*readable, offset, count);
}

}  // namespace steward::log
