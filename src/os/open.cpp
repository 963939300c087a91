// Opening: the kernel's own refusal of links where it has one, the walk where it has not or where a link may be followed.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>

#include "os/error.hpp"
#include "os/file.hpp"
#include "os/walk.hpp"

namespace steward::os {
namespace {

// What openat(2) takes; openat2(2) is strict about combinations that openat ignores.
int flags_of(const OpenOptions& options)
{
    int flags = O_CLOEXEC;
    if (options.directory) flags |= O_DIRECTORY;
    if (options.path_only) return flags | O_PATH;
    flags |= O_NOCTTY;
    flags |= options.write || options.append ? (options.read ? O_RDWR : O_WRONLY) : O_RDONLY;
    if (!options.directory) flags |= O_NONBLOCK;
    if (options.append) flags |= O_APPEND;
    if (options.create) flags |= O_CREAT;
    if (options.exclusive) flags |= O_EXCL;
    if (options.truncate) flags |= O_TRUNC;
    return flags;
}

mode_t mode_of(const OpenOptions& options)
{
    return options.create && !options.path_only ? static_cast<mode_t>(options.mode & 07777) : 0;
}

// O_NONBLOCK has done its work (a FIFO or a device did not hold us up) and must not reach a program that inherits the descriptor.
// O_PATH opens a link as such, which no caller here wants.
int settle(BorrowedFd fd, const OpenOptions& options)
{
    if (options.directory) return 0;
    struct stat found {};
    if (fstat(fd.get(), &found) < 0) return errno;
    if (S_ISLNK(found.st_mode)) return ELOOP;
    if (options.path_only || !S_ISREG(found.st_mode)) return 0;
    return fcntl(fd.get(), F_SETFL, options.append ? O_APPEND : 0) < 0 ? errno : 0;
}

Result<UniqueFd> settled(int fd, int error, const OpenOptions& options, const std::string& path)
{
    UniqueFd opened(fd);
    if (opened) error = settle(opened, options);
    if (error != 0) return fail(errno_error("open", quoted(path), error));
    return opened;
}

Result<UniqueFd> open_last(BorrowedFd directory, const std::string& name, const OpenOptions& options, const std::string& path)
{
    const int fd = openat(directory.get(), name.c_str(), flags_of(options) | O_NOFOLLOW, mode_of(options));
    int error = fd < 0 ? errno : 0;
    if (error == ENOTDIR && options.directory) {
        struct stat found {};
        if (fstatat(directory.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode)) error = ELOOP;
    }
    return settled(fd, error, options, path);
}

}  // namespace

Result<UniqueFd> open_trusted(const std::string& path, const OpenOptions& options)
{
    open_how how{};
    how.flags = static_cast<__u64>(flags_of(options) | O_NOFOLLOW);
    how.mode = mode_of(options);
    how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const long fd = syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
    const int error = fd < 0 ? errno : 0;
    // ELOOP: some link, perhaps one to follow. ENOTDIR: perhaps a last link where a directory is wanted. ENOSYS before Linux 5.6; EPERM
    // from a seccomp filter, or else from the walk again.
    const bool walk = error == ELOOP || error == ENOTDIR || error == ENOSYS || error == EPERM;
    if (!walk) return settled(static_cast<int>(fd), error, options, path);
    auto place = walk_to(path, MissingParents::are_errors);
    if (!place) return fail(place.error());
    return open_last(place->directory, place->name, options, path);
}

Result<UniqueFd> open_at(BorrowedFd directory, const std::string& name, const OpenOptions& options)
{
    if (name.empty() || name == ".." || name.find('/') != std::string::npos) {
        return fail(Error{.code = ErrorCode::invalid_argument,
                          .operation = "open",
                          .object = quoted(name),
                          .cause = "not the name of a file in a directory",
                          .next_step = {},
                          .os_errno = EINVAL});
    }
    return open_last(directory, name, options, name);
}

Result<UniqueFd> open_following(const std::string& path, const OpenOptions& options)
{
    const int fd = open(path.c_str(), flags_of(options), mode_of(options));
    return settled(fd, fd < 0 ? errno : 0, options, path);
}

}  // namespace steward::os
