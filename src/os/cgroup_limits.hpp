// What a cgroup's files say and are told about its use of memory, CPU and tasks. Any directory will do, for the tests. For src/os only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "os/cgroup.hpp"
#include "os/fd.hpp"

namespace steward::os::cgroup_limits {

// One limit: a line for a file of the group, which is there when the groups above hand the controller down.
struct Setting {
    const char* controller;
    const char* file;
    std::string value;
    const char* key;  // of [resources]
};
[[nodiscard]] std::vector<Setting> settings(const CgroupLimits& limits);

// 0 or an errno. `above`: the group's parent and that one's, which hand the controller down.
struct Above {
    BorrowedFd place;
    BorrowedFd parent;
};
int hand_down(const Above& above, const Setting& setting);
int set(BorrowedFd group, const Setting& setting);

[[nodiscard]] CgroupUsage usage(BorrowedFd group);

// Whether the word stands in the list of a group's controllers.
[[nodiscard]] bool has_controller(BorrowedFd group, std::string_view controller);

}  // namespace steward::os::cgroup_limits
