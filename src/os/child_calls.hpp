// What a child may call between fork and exec: thin, noexcept, async-signal-safe, 0 or an errno. The steps themselves are
// src/process/child.cpp's.
#pragma once

#include <sys/types.h>
#include <cstddef>
#include <cstdint>
#include <span>

namespace steward::os::child {

int new_session() noexcept;                  // setsid
int fork_again(std::int32_t* pid) noexcept;  // 0 with *pid = 0 in the child
int reset_signals() noexcept;                // every handler to default, nothing blocked
int block_all_signals() noexcept;
int duplicate_to(int from, int to) noexcept;  // dup2, also when from == to (then only close-on-exec is cleared)
int open_null(int* fd) noexcept;              // /dev/null read-write
int change_directory(const char* path) noexcept;
int change_root(const char* path) noexcept;  // chroot + chdir("/")
void set_umask(unsigned mask) noexcept;
int set_rlimit(int resource, std::uint64_t soft, std::uint64_t hard) noexcept;
int set_nice(int nice) noexcept;
int set_idle_io() noexcept;                    // disks serve everybody else first
int set_oom_score_adjust(int value) noexcept;  // /proc/self/oom_score_adj
int set_affinity(std::span<const unsigned> cpus) noexcept;
int join_cgroup(int cgroup_directory) noexcept;           // writes "0" to cgroup.procs
int drop_groups(std::span<const gid_t> groups) noexcept;  // setgroups
int set_gid(gid_t gid) noexcept;                          // setresgid
int set_uid(uid_t uid) noexcept;                          // setresuid
// 0 when neither setuid(0) nor setgid(0) succeeds any more (uid != 0) and the ids are exactly these; EPERM-like errno otherwise.
int prove_dropped(uid_t uid, gid_t gid) noexcept;
int keep_capabilities_over_setuid() noexcept;            // PR_SET_KEEPCAPS
int bound_capabilities(std::uint64_t keep) noexcept;     // drops every bounding bit not in `keep`
int raise_ambient(std::uint64_t capabilities) noexcept;  // permitted + inheritable + ambient
int no_new_privileges() noexcept;
// PR_SET_PDEATHSIG. After every change of identity, which clears it. ESRCH when `parent` is gone already, and will send nothing.
int set_parent_death_signal(int signal, std::int32_t parent) noexcept;
int wait_for_end(int fd) noexcept;  // reads until nobody can write there any more
int write_bytes(int fd, const void* data, std::size_t size) noexcept;
int write_bytes_at(int fd, const void* data, std::size_t size, std::int64_t offset) noexcept;
int execute(const char* path, char* const* argv, char* const* envp) noexcept;  // returns only to fail
// Leaves the table of descriptors that it shares with its parent, for a copy of all below `end`.
int own_descriptors_below(int end) noexcept;
void close_all_but(std::span<const int> sorted_keep) noexcept;  // from 3 up
void make_inheritable(int fd) noexcept;                         // clears close-on-exec
[[noreturn]] void exit(int code) noexcept;
std::int32_t pid() noexcept;

// Fills in the calling process's start time. False without /proc.
bool own_start_time(std::uint64_t* ticks) noexcept;

}  // namespace steward::os::child
