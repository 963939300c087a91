// The cgroup file system itself: where groups may be made, and what has to be done group by group down a tree. For src/os only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.hpp"

namespace steward::os::cgroup_tree {

// Where v2 is mounted; unset: nowhere, or not to be written.
std::optional<std::string> hierarchy();

// The directory below which this process may make groups; unset where it may make none: no v2 hierarchy, one that is read-only,
// systemd's, or without the right to.
std::optional<std::string> place_for_groups();

// Where steward's own processes go when they are in the way of controllers: "steward/.steward" below the place, no service's name.
inline constexpr const char* own_leaf = "/steward/.steward";

// Writes to a file of a group. 0 or an errno.
int write_file(BorrowedFd group, const char* file, std::string_view text);

// A directory of the v2 hierarchy, no link followed at its end; empty where there is none.
UniqueFd open_group(const std::string& path);

// Adds every process in the group itself. 0 or an errno; a group that vanishes meanwhile is no error.
int list_direct(BorrowedFd group, std::vector<std::int32_t>& pids);

// Adds every process in the group and below it. 0 or an errno; groups that vanish meanwhile are no error.
int list_processes(BorrowedFd group, std::vector<std::int32_t>& pids);

// SIGKILL to each process until none is left that was not signalled: cgroup.kill for Linux before 5.14. Does not wait for their end.
// 0 or an errno.
int kill_members(BorrowedFd group);

// Removes the empty groups below, the deepest first. What cannot be removed is left.
void remove_children(BorrowedFd group);

// Removes "…/steward" if none of its groups is left but an empty one of steward's own.
void remove_bare_parent(const std::string& path);

}  // namespace steward::os::cgroup_tree
