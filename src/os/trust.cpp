#include "os/trust.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/account.hpp"
#include "os/error.hpp"

namespace steward::os {

namespace {

std::string path_of(int fd)
{
    std::array<char, 4096> target{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    return size > 0 ? quoted(std::string_view(target.data(), static_cast<std::size_t>(size))) : "(unnamed)";
}

std::string user(std::uint32_t uid)
{
    const auto account = account_of(uid);
    return "user " + (account && !account->name.empty() ? account->name : std::to_string(uid));
}

// Whose the directory is and who may write it; empty when that is in order. What stands on the way down from a directory further up has
// been found to belong to root or the owner.
std::string fault(const struct stat& directory, const TrustRule& rule, bool is_parent)
{
    if (directory.st_uid != 0 && directory.st_uid != rule.owner) return "belongs to " + user(directory.st_uid);
    const bool others = (directory.st_mode & S_IWOTH) != 0;
    const bool group = (directory.st_mode & S_IWGRP) != 0 && std::ranges::find(rule.groups, directory.st_gid) == rule.groups.end();
    if (!others && !group) return {};
    if (!is_parent && (directory.st_mode & S_ISVTX) != 0) return {};
    return others ? "can be written by every user" : "can be written by group " + std::to_string(directory.st_gid);
}

}  // namespace

Result<std::optional<std::string>> distrust(BorrowedFd directory, const TrustRule& rule)
{
    struct stat here {};
    if (::fstat(directory.get(), &here) != 0) return fail(errno_error("examine", path_of(directory.get()), errno));
    std::string way;  // from `directory`; empty: itself
    for (;;) {
        const std::string wrong = fault(here, rule, way.empty());
        if (!wrong.empty()) {
            if (way.empty()) return "its directory " + path_of(directory.get()) + " " + wrong;
            const UniqueFd above(::openat(directory.get(), way.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
            return "the directory above it " + path_of(above.get()) + " " + wrong;
        }
        way += way.empty() ? ".." : "/..";
        // A longer way each time instead of a descriptor each time: whoever could move what lies on it could write where it was and where
        // it comes to, and is found either way.
        struct stat up {};
        if (::fstatat(directory.get(), way.c_str(), &up, 0) != 0) {
            return fail(errno_error("examine the directories above", path_of(directory.get()), errno));
        }
        if (up.st_dev == here.st_dev && up.st_ino == here.st_ino) return std::nullopt;
        here = up;
    }
}

}  // namespace steward::os
