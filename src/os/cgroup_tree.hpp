// The cgroup file system itself: where groups may be made, and what has to be done group by group down a tree. For src/os only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "os/fd.hpp"

namespace steward::os::cgroup_tree {

// The directory below which this process may make groups; unset where it may make none: no v2 hierarchy, one that is read-only,
// systemd's, or without the right to.
std::optional<std::string> place_for_groups();

// A directory of the v2 hierarchy, no link followed at its end; empty where there is none.
UniqueFd open_group(const std::string& path);

// Adds every process in the group and below it. 0 or an errno; groups that vanish meanwhile are no error.
int list_processes(BorrowedFd group, std::vector<std::int32_t>& pids);

// SIGKILL to each process until none is left that was not signalled: cgroup.kill for Linux before 5.14. Does not wait for their end.
// 0 or an errno.
int kill_members(BorrowedFd group);

// Removes the empty groups below, the deepest first. What cannot be removed is left.
void remove_children(BorrowedFd group);

}  // namespace steward::os::cgroup_tree
