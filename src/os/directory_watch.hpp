// Waits for a file to appear or to change without looking at it again and again: inotify on its directory.
#pragma once

#include <string>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// Readable whenever a name in `directory` appears, goes, is written to, closed after writing, or changes its rights.
Result<UniqueFd> watch_directory(const std::string& directory);
// Takes what is there to read, so that it becomes unreadable until the next change. False: the directory itself has gone or moved.
bool take_changes(BorrowedFd watch);

}  // namespace steward::os
