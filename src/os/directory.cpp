// Directories: made for a service's user without touching anybody else's, and listed.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <memory>

#include "os/error.hpp"
#include "os/file.hpp"
#include "os/walk.hpp"

namespace steward::os {

Result<UniqueFd> make_directories(const std::string& path, unsigned mode)
{
    const auto place = walk_to(path, MissingParents::are_made);
    if (!place) return fail(place.error());
    auto made = make_directory_at(place->directory, place->name, mode, path);
    if (!made) return fail(made.error());
    return std::move(made->directory);
}

Result<void> make_owned_directory(const std::string& path, unsigned mode, std::uint32_t uid, std::uint32_t gid)
{
    const auto place = walk_to(path, MissingParents::are_made);
    if (!place) return fail(place.error());
    const auto made = make_directory_at(place->directory, place->name, 0700, path);
    if (!made) return fail(made.error());
    if (!made->made) {
        const auto found = info(made->directory);
        if (!found) return fail(found.error());
        if (found->uid == uid || found->uid == 0) return {};
        return fail(Error{.code = ErrorCode::failed,
                          .operation = "use the directory",
                          .object = quoted(path),
                          .cause = "it belongs to user " + std::to_string(found->uid) + ", not to user " + std::to_string(uid)});
    }
    // Owner first: a change of owner may clear mode bits.
    if (fchown(made->directory.get(), uid, gid) < 0 || fchmod(made->directory.get(), static_cast<mode_t>(mode & 07777)) < 0) {
        const int failed = errno;
        unlinkat(place->directory.get(), place->name.c_str(), AT_REMOVEDIR);
        return fail(errno_error("make the directory", quoted(path), failed));
    }
    return {};
}

namespace {

struct CloseListing {
    void operator()(DIR* listing) const { closedir(listing); }
};
using Listing = std::unique_ptr<DIR, CloseListing>;

Result<std::vector<std::string>> names_of(const Listing& listing, const std::string& path)
{
    std::vector<std::string> names;
    errno = 0;  // readdir tells the end from an error by it alone
    while (const dirent* entry = readdir(listing.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
        errno = 0;
    }
    if (errno != 0) return fail(errno_error("list the directory", quoted(path), errno));
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

Result<std::vector<std::string>> list_directory(const std::string& path)
{
    const Listing listing(opendir(path.c_str()));
    if (!listing && errno == ENOENT) return std::vector<std::string>();
    if (!listing) return fail(errno_error("list the directory", quoted(path), errno));
    return names_of(listing, path);
}

Result<std::vector<std::string>> list_directory(BorrowedFd directory)
{
    UniqueFd readable(openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const Listing listing(readable ? fdopendir(readable.get()) : nullptr);
    if (!listing) return fail(errno_error("list", "a directory", errno));
    static_cast<void>(readable.release());
    return names_of(listing, ".");
}

}  // namespace steward::os
