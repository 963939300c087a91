#include "os/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "os/error.hpp"
#include "os/file_lock.hpp"
#include "os/walk.hpp"

namespace steward::os {

namespace {

constexpr int deepest = 100;

Error failed(const char* operation, const std::string& path, int error)
{
    return errno_error(operation, quoted(path), error);
}

Result<std::string> link_target(BorrowedFd directory, const std::string& name, const std::string& path)
{
    std::array<char, PATH_MAX> target{};
    const ssize_t size = readlinkat(directory.get(), name.c_str(), target.data(), target.size());
    if (size < 0) return fail(failed("read the link", path, errno));
    return std::string(target.data(), static_cast<std::size_t>(size));
}

Result<std::string> file_content(BorrowedFd directory, const std::string& name, const std::string& path, std::size_t limit)
{
    const auto file = open_at(directory, name, {.read = true});
    if (!file) return fail(failed("read", path, file.error().os_errno));
    auto content = read_all(*file, limit);
    if (!content) content.error().object = quoted(path);
    return content;
}

// What is in it goes first. `device`: mounts are somebody else's.
int remove_below(BorrowedFd parent, const std::string& name, dev_t device, int depth)
{
    struct stat found {};
    if (fstatat(parent.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : errno;
    if (!S_ISDIR(found.st_mode)) return unlinkat(parent.get(), name.c_str(), 0) < 0 && errno != ENOENT ? errno : 0;
    if (found.st_dev != device) return EBUSY;
    if (depth == 0) return ELOOP;
    const auto directory = open_at(parent, name, {.read = true, .directory = true});
    if (!directory) return directory.error().os_errno;
    const auto names = list_directory(*directory);
    if (!names) return names.error().os_errno;
    for (const std::string& inner : *names) {
        if (const int error = remove_below(*directory, inner, device, depth - 1); error != 0) return error;
    }
    return unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT ? errno : 0;
}

bool is_missing(const Error& error)
{
    return error.os_errno == ENOENT || error.os_errno == ENOTDIR;
}

}  // namespace

struct Tree::Spot : Place {};

Result<Tree> Tree::open(const std::string& root)
{
    if (root.empty()) return Tree(UniqueFd());
    auto directory = open_following(root, {.directory = true, .path_only = true});
    if (!directory) return fail(directory.error());
    return Tree(std::move(*directory));
}

Result<Tree::Spot> Tree::walk(const std::string& path) const
{
    auto place = walk_to(path, MissingParents::are_errors, root_);
    if (!place) return fail(place.error());
    return Spot{std::move(*place)};
}

Result<std::optional<Tree::Object>> Tree::look(const std::string& path, std::size_t limit) const
{
    const auto spot = walk(path);
    if (!spot && is_missing(spot.error())) return std::optional<Object>();
    if (!spot) return fail(spot.error());
    const UniqueFd held(openat(spot->directory.get(), spot->name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!held && errno == ENOENT) return std::optional<Object>();
    if (!held) return fail(failed("examine", path, errno));
    auto found = info(held);
    if (!found) return fail(found.error());
    Object object{.info = *found, .text = {}};
    if (object.info.kind != FileInfo::Kind::regular && object.info.kind != FileInfo::Kind::symlink) return std::optional(std::move(object));
    auto text = object.info.kind == FileInfo::Kind::symlink ? link_target(spot->directory, spot->name, path)
                                                            : file_content(spot->directory, spot->name, path, limit);
    if (!text) return fail(text.error());
    object.text = std::move(*text);
    return std::optional(std::move(object));
}

Result<std::vector<std::string>> Tree::list(const std::string& path) const
{
    const auto spot = walk(path + "/.");
    if (!spot && is_missing(spot.error())) return std::vector<std::string>();
    if (!spot) return fail(spot.error());
    auto names = list_directory(spot->directory);
    if (!names) return fail(failed("list the directory", path, names.error().os_errno));
    std::erase_if(*names, is_temporary);
    return names;
}

bool Tree::can_write_in(const std::string& path) const
{
    for (std::string place = path;; place = parent_of(place)) {
        const auto spot = walk(place + "/.");
        if (spot) return faccessat(spot->directory.get(), ".", W_OK, AT_EACCESS) == 0;
        if (!is_missing(spot.error()) || place == "/") return false;
    }
}

Result<void> Tree::write_file(const std::string& path, std::string_view content, unsigned mode, std::optional<Owner> owner) const
{
    const auto spot = walk(path);
    if (!spot) return fail(failed("write", path, spot.error().os_errno));
    auto written = replace_file(spot->directory, spot->name, content, mode, true, owner);
    if (!written) written.error().object = quoted(path);
    return written;
}

Result<void> Tree::write_link(const std::string& path, const std::string& target) const
{
    const auto spot = walk(path);
    if (!spot) return fail(failed("write the link", path, spot.error().os_errno));
    auto written = replace_link(spot->directory, spot->name, target, true);
    if (!written) written.error().object = quoted(path);
    return written;
}

Result<void> Tree::remove(const std::string& path) const
{
    const auto spot = walk(path);
    if (!spot && is_missing(spot.error())) return {};
    if (!spot) return fail(failed("remove", path, spot.error().os_errno));
    if (unlinkat(spot->directory.get(), spot->name.c_str(), 0) < 0) {
        if (errno == ENOENT) return {};
        return fail(failed("remove", path, errno));
    }
    return sync_directory(spot->directory);
}

Result<void> Tree::make_directory(const std::string& path, unsigned mode) const
{
    const auto spot = walk(path);
    if (!spot) return fail(failed("make the directory", path, spot.error().os_errno));
    auto made = make_directory_at(spot->directory, spot->name, mode, path);
    if (!made) return fail(made.error());
    return sync_directory(spot->directory);
}

Result<void> Tree::remove_directory(const std::string& path) const
{
    const auto spot = walk(path);
    if (!spot && is_missing(spot.error())) return {};
    if (!spot) return fail(failed("remove the directory", path, spot.error().os_errno));
    if (unlinkat(spot->directory.get(), spot->name.c_str(), AT_REMOVEDIR) == 0) return sync_directory(spot->directory);
    if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY || errno == ENOTDIR) return {};
    return fail(failed("remove the directory", path, errno));
}

Result<void> Tree::sweep(const std::string& directory) const
{
    const auto spot = walk(directory + "/.");
    if (!spot && is_missing(spot.error())) return {};
    if (!spot) return fail(spot.error());
    const auto names = list_directory(spot->directory);
    if (!names) return fail(names.error());
    for (const std::string& name : *names) {
        if (!is_temporary(name)) continue;
        if (auto removed = remove_at(spot->directory, name); !removed) return removed;
    }
    return {};
}

Result<void> Tree::remove_all(const std::string& path) const
{
    const auto spot = walk(path);
    if (!spot && is_missing(spot.error())) return {};
    if (!spot) return fail(failed("remove", path, spot.error().os_errno));
    struct stat found {};
    if (fstat(spot->directory.get(), &found) < 0) return fail(failed("remove", path, errno));
    const int error = remove_below(spot->directory, spot->name, found.st_dev, deepest);
    if (error != 0) return fail(failed("remove", path, error));
    return {};
}

Result<UniqueFd> Tree::lock(const std::string& path) const
{
    for (;;) {
        const auto spot = walk(path);
        if (!spot) return fail(failed("lock", path, spot.error().os_errno));
        // Open for writing, which the lock takes: whoever may only look at the directory cannot hold it.
        UniqueFd held(openat(spot->directory.get(), spot->name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
        if (!held) return fail(failed("lock", path, errno));
        if (const auto taken = os::lock(held, 0); !taken) return fail(failed("lock", path, taken.error().os_errno));
        // It may have been removed, and another made, while this one was waited for.
        struct stat locked {};
        struct stat there {};
        if (fstat(held.get(), &locked) < 0) return fail(failed("lock", path, errno));
        const bool is_there = fstatat(spot->directory.get(), spot->name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
        if (is_there && locked.st_ino == there.st_ino && locked.st_dev == there.st_dev) return held;
    }
}

}  // namespace steward::os
