// A service is all its processes: how they are found, with a cgroup and without.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <steward/result.hpp>

#include "os/cgroup.hpp"
#include "os/process.hpp"

namespace steward::supervise {

// Where to look.
struct Membership {
    // Proof: nothing leaves it by itself. Where it is given, nothing else is asked.
    const os::Cgroup* cgroup = nullptr;
    // The main process: its descendants, its session and its group belong to the service. It may have ended, if its end was watched: as
    // long as one of its session lives, the kernel gives its number to nobody, and afterwards a stranger's start time tells.
    const os::ProcessRef* main = nullptr;
    // A subreaper that has no other service below it: everything below it belongs to the service…
    std::int32_t tree_root = 0;
    // …but for these, …
    std::vector<std::int32_t> not_members;
    // …and for these with all below them, which were there before the service.
    std::vector<os::ProcessIdentity> strangers;
};

// The living members, each with the start time that proves it when it is signalled. A zombie is none, unless threads of it live.
Result<std::vector<os::ProcessIdentity>> find_members(const Membership& where);

// Those of the session that the process led, and of its group, or below it; it may have ended.
Result<std::vector<os::ProcessIdentity>> find_session(const os::ProcessIdentity& leader);

// Everything below a process, for Membership::strangers: an entry point may have left something behind before it became steward.
[[nodiscard]] std::vector<os::ProcessIdentity> processes_below(std::int32_t root);
// Whether a living process is one of them, for less than a search where it can be told by its parents.
[[nodiscard]] bool is_member(const Membership& where, std::int32_t pid);

}  // namespace steward::supervise
