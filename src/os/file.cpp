#include "os/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "os/error.hpp"

namespace steward::os {
namespace {

FileInfo::Kind kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
        case S_IFREG: return FileInfo::Kind::regular;
        case S_IFDIR: return FileInfo::Kind::directory;
        case S_IFLNK: return FileInfo::Kind::symlink;
        case S_IFIFO: return FileInfo::Kind::fifo;
        case S_IFSOCK: return FileInfo::Kind::socket;
        default: return FileInfo::Kind::device;
    }
}

FileInfo to_info(const struct stat& found)
{
    return FileInfo{.kind = kind_of(found.st_mode),
                    .mode = found.st_mode & 07777U,
                    .uid = found.st_uid,
                    .gid = found.st_gid,
                    .device = found.st_dev,
                    .inode = found.st_ino,
                    .size = static_cast<std::uint64_t>(found.st_size),
                    .modified_ns = std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec,
                    .links = static_cast<unsigned>(found.st_nlink)};
}

std::string described(BorrowedFd fd)
{
    return "descriptor " + std::to_string(fd.get());
}

// pread that goes on after EINTR; unlike read(2) it has no position that others could move.
Result<std::size_t> read_block(BorrowedFd fd, void* into, std::size_t size, std::uint64_t offset)
{
    ssize_t got = 0;
    do got = pread(fd.get(), into, size, static_cast<off_t>(offset));
    while (got < 0 && errno == EINTR);
    if (got < 0) return fail(errno_error("read", described(fd), errno));
    return static_cast<std::size_t>(got);
}

Result<std::optional<FileInfo>> look(int directory, const std::string& path, int flags)
{
    struct stat found {};
    if (fstatat(directory, path.c_str(), &found, flags) == 0) return std::optional(to_info(found));
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileInfo>();
    return fail(errno_error("examine", quoted(path), errno));
}

}  // namespace

Result<FileInfo> info(BorrowedFd fd)
{
    struct stat found {};
    if (fstat(fd.get(), &found) < 0) return fail(errno_error("examine", described(fd), errno));
    return to_info(found);
}

Result<std::optional<FileInfo>> info_at(const std::string& path, bool follow)
{
    return look(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW);
}

Result<std::optional<FileInfo>> info_in(BorrowedFd directory, const std::string& name)
{
    return look(directory.get(), name, AT_SYMLINK_NOFOLLOW);
}

bool can_execute(const std::string& path)
{
    const auto found = info_at(path, true);
    return found && *found && (*found)->kind == FileInfo::Kind::regular && faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

Result<std::string> read_file(const std::string& path, std::size_t limit)
{
    const auto file = open_following(path, {.read = true});
    if (!file) return fail(file.error());
    auto content = read_all(*file, limit);
    if (!content) {
        Error error = content.error();
        error.object = quoted(path);
        return fail(std::move(error));
    }
    return content;
}

Result<void> remove_at(BorrowedFd directory, const std::string& name)
{
    if (unlinkat(directory.get(), name.c_str(), 0) < 0 && errno != ENOENT) return fail(errno_error("remove", quoted(name), errno));
    return {};
}

Result<void> rename_at(BorrowedFd directory, const std::string& from, const std::string& to)
{
    if (renameat2(directory.get(), from.c_str(), directory.get(), to.c_str(), RENAME_NOREPLACE) == 0) return {};
    int error = errno;
    // A file system, or a kernel before 3.15, that cannot promise it.
    if (error == EINVAL || error == ENOSYS) {
        error = faccessat(directory.get(), to.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? EEXIST : 0;
        if (error == 0 && renameat(directory.get(), from.c_str(), directory.get(), to.c_str()) < 0) error = errno;
        if (error == 0) return {};
    }
    return fail(errno_error("rename", quoted(from), error));
}

Result<std::size_t> read_at(BorrowedFd fd, std::span<std::byte> into, std::uint64_t offset)
{
    return read_block(fd, into.data(), into.size(), offset);
}

Result<void> write_at(BorrowedFd fd, std::span<const std::byte> bytes, std::uint64_t offset)
{
    while (!bytes.empty()) {
        const ssize_t written = pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(errno_error("write to", described(fd), errno));
        if (written == 0) return fail(errno_error("write to", described(fd), ENOSPC));
        // Cut short, by a full file system or a limit: the rest tells which.
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

Result<std::string> read_tail(BorrowedFd fd, std::size_t limit)
{
    const auto found = info(fd);
    if (!found) return fail(found.error());
    std::string tail(static_cast<std::size_t>(std::min<std::uint64_t>(found->size, limit)), '\0');
    const std::uint64_t begin = found->size - tail.size();
    std::size_t filled = 0;
    while (filled < tail.size()) {
        const auto got = read_block(fd, tail.data() + filled, tail.size() - filled, begin + filled);
        if (!got) return fail(got.error());
        if (*got == 0) break;  // cut off while we read
        filled += *got;
    }
    tail.resize(filled);
    return tail;
}

Result<void> change_owner(BorrowedFd fd, std::uint32_t uid, std::uint32_t gid)
{
    if (fchown(fd.get(), uid, gid) < 0) return fail(errno_error("change the owner of", described(fd), errno));
    return {};
}

Result<void> change_mode(BorrowedFd fd, unsigned mode)
{
    if (fchmod(fd.get(), static_cast<mode_t>(mode & 07777)) < 0) return fail(errno_error("change the mode of", described(fd), errno));
    return {};
}

Result<void> set_file_size(BorrowedFd fd, std::uint64_t size)
{
    int result = 0;
    do result = ftruncate(fd.get(), static_cast<off_t>(size));
    while (result < 0 && errno == EINTR);
    if (result < 0) return fail(errno_error("set the size of", described(fd), errno));
    return {};
}

Result<void> set_modified(BorrowedFd fd, std::int64_t since_epoch_ns)
{
    constexpr std::int64_t second = 1'000'000'000;
    const timespec times[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                              {.tv_sec = since_epoch_ns / second, .tv_nsec = since_epoch_ns % second}};
    if (futimens(fd.get(), times) < 0) return fail(errno_error("set the time of", described(fd), errno));
    return {};
}

Result<void> sync(BorrowedFd fd)
{
    if (fsync(fd.get()) < 0 && errno != EINVAL) return fail(errno_error("write to", described(fd), errno));  // EINVAL: nothing to sync
    return {};
}

}  // namespace steward::os
