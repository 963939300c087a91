// A service's log as a plain file: opened safely, appended to, its last lines read back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::log {

struct LogFileOptions {
    std::string path;
    bool system_scope = true;            // then 0640 and group adm, where adm exists
    bool append = true;                  // else for reading too, and for writing at places that the caller chooses
    std::optional<std::uint32_t> group;  // of a new file, where it is known already: the name service is not asked again
};

// Made 0640 with its directory (0755, parents too) where missing; no link followed; not another user's file; a
// regular file only. A log directory that another user owns or can write is refused for root.
Result<os::UniqueFd> open_log(const LogFileOptions& options);

// The parts of it: the directory, judged as above, and a new file in it with the right owner and mode.
Result<os::UniqueFd> open_log_directory(const std::string& path);
Result<os::UniqueFd> make_log(os::BorrowedFd directory, const LogFileOptions& options);

// The last `count` lines, without newlines, at most 64 KiB of them; bytes as they are. Where the file has fewer, the end of its newest
// rotated one comes before them. Missing file: none.
Result<std::vector<std::string>> last_lines(const std::string& path, unsigned count);
// The last lines among those after `offset`: of this start and not the one before. `fd` may be open for writing alone.
Result<std::vector<std::string>> last_lines_after(os::BorrowedFd fd, std::uint64_t offset, unsigned count);

}  // namespace steward::log
