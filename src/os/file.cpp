#include "os/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

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

}  // namespace

Result<FileInfo> info(BorrowedFd fd)
{
    struct stat found {};
    if (fstat(fd.get(), &found) < 0) return fail(errno_error("examine", described(fd), errno));
    return to_info(found);
}

Result<std::optional<FileInfo>> info_at(const std::string& path, bool follow)
{
    struct stat found {};
    if (fstatat(AT_FDCWD, path.c_str(), &found, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0) return std::optional(to_info(found));
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileInfo>();
    return fail(errno_error("examine", quoted(path), errno));
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

}  // namespace steward::os
