// PID files: written whole and without a race, never believed when read. See facts in steward(8), "PID FILES".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <steward/result.hpp>

namespace steward::record {

struct PidFileReading {
    enum class Verdict {
        missing,
        empty,       // empty or blanks only, for 50 ms
        pid,         // a number that could be a process
        too_large,   // well-formed, above the kernel's pid_max: nobody
        refused,     // content or object not to be trusted; `reason` says why
        unreadable,  // EACCES: cannot be told
    };
    Verdict verdict = Verdict::missing;
    std::int32_t pid = 0;
    std::string reason;  // "is a symbolic link", "holds '-1'", "can be written by other users"
};

// Judges the object (regular file, owner root or `owner`, not writable by group or others, every ancestor directory likewise, no link of
// another user on the way) and its content (digits and at most one newline; CR before it is accepted; 2 ≤ pid ≤ 2^22).
// Never blocks. `pid` 1 is refused unless `allow_pid_1`.
PidFileReading read_pid_file(const std::string& path, std::uint32_t owner, bool allow_pid_1 = false);
// The same, without giving an empty file its time.
PidFileReading read_pid_file_now(const std::string& path, std::uint32_t owner);

// Writes "PID\n", 0644, by temp file and rename. Refuses (untrusted_pid_file) a directory that another user can write, and an
// existing object that is not a plain file of `owner`'s.
Result<void> write_pid_file(const std::string& path, std::int32_t pid, std::uint32_t owner);
// Whether write_pid_file would be refused, without writing: asked before anything is started.
Result<void> check_pid_file_place(const std::string& path, std::uint32_t owner);

// Removes the file if it holds `pid` (or anything stale, with pid 0). Succeeds when it is missing; leaves what is not ours.
Result<void> remove_pid_file(const std::string& path, std::int32_t pid, std::uint32_t owner);

}  // namespace steward::record
