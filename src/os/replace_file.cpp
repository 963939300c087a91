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

struct Temporary {
    UniqueFd file;
    std::string name;
};

// Not derived from the target's name, which may have the longest length allowed.
Result<Temporary> make_temporary(BorrowedFd directory, const std::string& target)
{
    static unsigned serial = 0;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        std::string name = ".steward-" + std::to_string(getpid()) + "-" + std::to_string(serial++) + ".tmp";
        UniqueFd file(openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600));
        if (file) return Temporary{.file = std::move(file), .name = std::move(name)};
        if (errno != EEXIST) break;  // else a left-over of a process that had this PID before
    }
    return fail(errno_error("write", quoted(target), errno));
}

int fill(BorrowedFd file, std::string_view content, unsigned mode, bool sync)
{
    if (const auto written = write_all(file, content); !written) return written.error().os_errno;
    if (fchmod(file.get(), static_cast<mode_t>(mode & 07777)) < 0) return errno;
    return sync && fsync(file.get()) < 0 ? errno : 0;
}

// The caller's descriptor may be O_PATH, which cannot be synced.
int sync_directory(BorrowedFd directory)
{
    const UniqueFd readable(openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!readable) return errno;
    return fsync(readable.get()) < 0 && errno != EINVAL ? errno : 0;  // EINVAL: this file system has nothing to sync
}

}  // namespace

Result<void> replace_file(BorrowedFd directory, const std::string& name, std::string_view content, unsigned mode, bool sync)
{
    const auto temporary = make_temporary(directory, name);
    if (!temporary) return fail(temporary.error());
    int error = fill(temporary->file, content, mode, sync);
    if (error == 0 && renameat(directory.get(), temporary->name.c_str(), directory.get(), name.c_str()) < 0) error = errno;
    if (error != 0) {
        unlinkat(directory.get(), temporary->name.c_str(), 0);
        return fail(errno_error("write", quoted(name), error));
    }
    if (sync) error = sync_directory(directory);
    if (error != 0) return fail(errno_error("sync the directory of", quoted(name), error));
    return {};
}

}  // namespace steward::os
