// A service's own cgroup (v2), where steward may make one: root and no systemd as PID 1, or a delegated subtree.
// On a hybrid host the v2 hierarchy at /sys/fs/cgroup/unified serves (processes are tracked and killed; no controllers there).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// What a group's processes may use together; unset: as much as there is.
struct CgroupLimits {
    std::optional<std::uint64_t> memory;  // bytes
    std::optional<unsigned> cpu;          // in percent of one CPU
    std::optional<std::uint64_t> tasks;
    [[nodiscard]] bool any() const { return memory || cpu || tasks; }
};

// What they use. Unset: there is no limit, or the kernel does not count it here.
struct CgroupUsage {
    std::optional<std::uint64_t> memory;  // in bytes, what the kernel keeps of files for them included
    std::optional<std::uint64_t> memory_peak;
    std::optional<std::uint64_t> memory_limit;
    std::uint64_t memory_kills = 0;  // processes that the kernel has killed for want of memory
    std::optional<std::uint64_t> tasks_limit;
    std::optional<std::chrono::microseconds> cpu;  // of those that have ended, too
};

class Cgroup {
  public:
    // The cgroup "steward/NAME" below where this process may make groups; unset where it may make none (that is normal, and cheap
    // to learn). An empty one that is there is made anew; one with processes is left to them, and this one is called "NAME~2", and so on.
    static std::optional<Cgroup> create(const std::string& name);
    // One made before, by its path as path() told it; unset when it is gone.
    static std::optional<Cgroup> open(const std::string& path);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] BorrowedFd directory() const { return directory_; }
    // Every process in it and below.
    Result<std::vector<std::int32_t>> processes() const;
    // cgroup.kill (5.14), else SIGKILL to each member until none is left to signal.
    Result<void> kill() const;
    // Whether the host's cgroups could hold these at all. What the caller may do is another question.
    static Result<void> can_limit(const CgroupLimits& limits);
    // Processes in the group that steward's are made below forbid controllers there: of these, those of `own` make room and go into a group
    // of their own. Others are not moved, and the limit fails.
    Result<void> limit(const CgroupLimits& limits, std::span<const std::int32_t> own) const;
    // Before processes of this one's making are to be limited: it makes room itself, and they are born there.
    static void step_aside();
    [[nodiscard]] CgroupUsage usage() const;
    // Puts a process in it.
    Result<void> add(std::int32_t pid) const;
    // Whether a process (zombies do not count) is in it or below. False when it has gone.
    Result<bool> populated() const;
    // cgroup.events, for EventLoop::on_priority: each call of the callback is the time to ask populated() again.
    Result<UniqueFd> events() const;
    // Removes it, and the groups the service made below it, when no process is left. Succeeds when it has gone.
    Result<void> remove() const;

  private:
    std::string path_;
    UniqueFd directory_;
};

}  // namespace steward::os
