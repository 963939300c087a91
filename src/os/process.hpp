// Processes by identity, never by number alone: a PID is believed only together with its start time (and pidfs inode).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// Tells one process from every other of this boot. start_time is field 22 of /proc/PID/stat (clock ticks since boot), stable over
// exec. pidfs_inode is 0 where the kernel has no pidfs (before 6.9).
struct ProcessIdentity {
    std::int32_t pid = 0;
    std::uint64_t start_time = 0;
    std::uint64_t pidfs_inode = 0;

    explicit operator bool() const { return pid > 0; }
};

// What the boot and the PID namespace are: an identity means nothing in another.
struct BootIdentity {
    std::string boot_id;              // /proc/sys/kernel/random/boot_id, 36 characters
    std::uint64_t pid_namespace = 0;  // inode of /proc/self/ns/pid
    friend bool operator==(const BootIdentity&, const BootIdentity&) = default;
};
Result<BootIdentity> boot_identity();  // undeterminable without /proc

enum class Liveness { alive, dead };  // a zombie whose threads are all gone is dead

// A held process. With pidfds every call is free of races; without (before 5.3, or denied) each call compares the start time
// just before it acts, and a window of microseconds remains.
class ProcessRef {
  public:
    // Unset when there is no such process, or it is a different one (its start time or inode differs).
    static Result<std::optional<ProcessRef>> open(const ProcessIdentity& identity);
    // A process known only by number: the identity is read while the pidfd is held. Unset when there is none.
    static Result<std::optional<ProcessRef>> open_pid(std::int32_t pid);
    // A child that this process has just made and not yet waited for; adopts the pidfd (which may be empty).
    static Result<ProcessRef> adopt_child(std::int32_t pid, UniqueFd pidfd);

    [[nodiscard]] const ProcessIdentity& identity() const { return identity_; }
    [[nodiscard]] std::int32_t pid() const { return identity_.pid; }
    // Readable when the whole process is gone. Empty without pidfds.
    [[nodiscard]] BorrowedFd pidfd() const { return pidfd_; }

    // Signal 0 through the pidfd, then poll: EPERM is alive, a zombie is dead.
    Result<Liveness> liveness() const;
    // not_running (ESRCH), not_permitted (EPERM).
    Result<void> signal(int signal) const;
    // To its process group, provided it leads one. PIDFD_SIGNAL_PROCESS_GROUP, else kill(-pid) while the leader is known to exist.
    Result<void> signal_group(int signal) const;
    // Waits for its end; false when the timeout passed.
    Result<bool> wait(std::optional<std::chrono::milliseconds> timeout) const;
    // The exit status of an ended process that is not this process's child: PIDFD_GET_INFO, Linux 6.15. Unset where not told.
    [[nodiscard]] std::optional<ExitStatus> foreign_exit_status() const;

  private:
    ProcessIdentity identity_;
    UniqueFd pidfd_;
};

ProcessIdentity self_identity();  // of the calling process; async-signal-safe (open, read, close only)
std::int32_t self_pid();
std::int32_t parent_pid();
std::uint32_t effective_uid();
std::uint32_t effective_gid();

// One line of /proc/PID/stat, parsed after the last ')'.
struct ProcessStat {
    std::int32_t pid = 0;
    std::string command;  // comm, may hold anything
    char state = '?';     // R S D Z T …
    std::int32_t parent = 0;
    std::int32_t group = 0;
    std::int32_t session = 0;
    std::uint64_t cpu_ticks = 0;  // user + system, with waited-for children
    std::uint64_t tasks = 0;
    std::uint64_t start_time = 0;
};
std::optional<ProcessStat> parse_stat(std::string_view line);
Result<std::optional<ProcessStat>> read_stat(std::int32_t pid);  // unset: no such process; undeterminable without /proc
Result<std::vector<ProcessStat>> all_processes();
// `root`'s children, their children, … without root itself.
std::vector<ProcessStat> descendants(const std::vector<ProcessStat>& all, std::int32_t root);

// `root` and all its descendants, without a pass over the whole of /proc. What vanishes meanwhile is left out.
std::vector<std::int32_t> process_tree(std::int32_t root);
// The calling process's parent, its parent, …
std::vector<ProcessStat> ancestors();

// Bytes resident (RSS). Not PSS: to tell that the kernel walks the whole address space, and holds up the process meanwhile.
std::optional<std::uint64_t> resident_memory(std::int32_t pid);
std::chrono::microseconds ticks_to_duration(std::uint64_t ticks);
Result<bool> catches_signal(std::int32_t pid, int signal);  // SigCgt of /proc/PID/status
// Wall-clock time of a start_time in ticks.
std::optional<std::chrono::system_clock::time_point> start_time_to_clock(std::uint64_t start_time);

// Reaps. Each call retries EINTR.
struct Reaped {
    std::int32_t pid = 0;
    ExitStatus status;
};
Result<std::optional<Reaped>> reap_any();                     // WNOHANG; unset: nothing to reap (or no children)
Result<std::optional<Reaped>> reap(const ProcessRef& child);  // WNOHANG; unset: still running. failed(ECHILD): not ours
Result<Reaped> reap_blocking(std::int32_t child);

Result<void> become_subreaper();
void set_process_name(const char* name);  // comm, 15 bytes

}  // namespace steward::os
