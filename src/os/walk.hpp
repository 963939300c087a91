// The way down a path, one component at a time, looking at every symbolic link. For src/os alone: callers use file.hpp.
#pragma once

#include <string>

#include <steward/result.hpp>

#include "os/fd.hpp"
#include "os/file.hpp"

namespace steward::os {

// Where a path ends: the directory it leads to, held, and its last component ("." for "/" itself).
struct Place {
    UniqueFd directory;  // O_PATH
    std::string name;
};

enum class MissingParents { are_errors, are_made };

// Follows a link on the way only as open_trusted promises; the last component is not looked at. Made parents are 0755.
// With a `root`, "/" is there and nothing leads out of it.
Result<Place> walk_to(const std::string& path, MissingParents missing, BorrowedFd root = {});

// Makes the directory `name`, with exactly `mode` whatever the umask, and opens it; opens the one that is there. `made` tells which.
struct MadeDirectory {
    UniqueFd directory;
    bool made = false;
};
Result<MadeDirectory> make_directory_at(BorrowedFd parent, const std::string& name, unsigned mode, const std::string& path);

}  // namespace steward::os
