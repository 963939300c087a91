// A file replaced whole: whoever reads it meanwhile, and whatever crashes, sees the old content or the new one.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

#include "os/error.hpp"
#include "os/file.hpp"

namespace steward::os {
namespace {

constexpr int most_attempts = 100;
constexpr std::string_view temporary_prefix = ".steward-";
constexpr std::string_view temporary_suffix = ".tmp";

// Not derived from the target's name, which may have the longest length allowed.
std::string temporary_name()
{
    static unsigned serial = 0;
    return std::string(temporary_prefix) + std::to_string(getpid()) + "-" + std::to_string(serial++) + std::string(temporary_suffix);
}

struct Temporary {
    UniqueFd file;
    std::string name;
};

Result<Temporary> make_temporary(BorrowedFd directory, const std::string& target)
{
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        std::string name = temporary_name();
        UniqueFd file(openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600));
        if (file) return Temporary{.file = std::move(file), .name = std::move(name)};
        if (errno != EEXIST) break;  // else a left-over of a process that had this PID before
    }
    return fail(errno_error("write", quoted(target), errno));
}

int fill(BorrowedFd file, std::string_view content, unsigned mode, bool sync, std::optional<Owner> owner)
{
    if (const auto written = write_all(file, content); !written) return written.error().os_errno;
    // Owner first: a change of owner may clear mode bits.
    if (owner && fchown(file.get(), owner->uid, owner->gid) < 0) return errno;
    if (fchmod(file.get(), static_cast<mode_t>(mode & 07777)) < 0) return errno;
    return sync && fsync(file.get()) < 0 ? errno : 0;
}

// Gives the temporary its name; takes it away where that fails.
Result<void> rename_temporary(BorrowedFd directory, const std::string& temporary, const std::string& name, int error, bool sync)
{
    if (error == 0 && renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()) < 0) error = errno;
    if (error != 0) {
        unlinkat(directory.get(), temporary.c_str(), 0);
        return fail(errno_error("write", quoted(name), error));
    }
    return sync ? sync_directory(directory) : Result<void>();
}

}  // namespace

Result<void> sync_directory(BorrowedFd directory)
{
    const UniqueFd readable(openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!readable) return fail(errno_error("sync", "a directory", errno));
    // EINVAL: this file system has nothing to sync.
    if (fsync(readable.get()) < 0 && errno != EINVAL) return fail(errno_error("sync", "a directory", errno));
    return {};
}

bool is_temporary(std::string_view name)
{
    return name.starts_with(temporary_prefix) && name.ends_with(temporary_suffix);
}

Result<void> replace_file(BorrowedFd directory, const std::string& name, std::string_view content, unsigned mode, bool sync,
                          std::optional<Owner> owner)
{
    const auto temporary = make_temporary(directory, name);
    if (!temporary) return fail(temporary.error());
    return rename_temporary(directory, temporary->name, name, fill(temporary->file, content, mode, sync, owner), sync);
}

Result<void> replace_link(BorrowedFd directory, const std::string& name, const std::string& target, bool sync)
{
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        const std::string temporary = temporary_name();
        if (symlinkat(target.c_str(), directory.get(), temporary.c_str()) == 0)
            return rename_temporary(directory, temporary, name, 0, sync);
        if (errno != EEXIST) break;
    }
    return fail(errno_error("write the link", quoted(name), errno));
}

}  // namespace steward::os
