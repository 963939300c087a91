// A service is all its processes: how they are found, with a cgroup and without.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <steward/result.hpp>

#include "os/cgroup.hpp"
#include "os/process.hpp"

namespace steward::supervise {

// Where to look. Every way that is given is used, and the results are joined.
struct Membership {
    const os::Cgroup* cgroup = nullptr;  // proof: nothing leaves it
    // The main process while its identity is proven: its descendants, its session and its group belong to the service.
    const os::ProcessRef* main = nullptr;
    // The main process's session outlives it only while a supervisor has watched it die: then the number cannot have been reused.
    std::int32_t session = 0;
    // A subreaper that has no other service below it: everything below it belongs to the service…
    std::int32_t tree_root = 0;
    // …but for these.
    std::vector<std::int32_t> not_members;
};

// The living members (zombies are not), each with the start time that proves it when it is signalled.
Result<std::vector<os::ProcessIdentity>> find_members(const Membership& where);

}  // namespace steward::supervise
