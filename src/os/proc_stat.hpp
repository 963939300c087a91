// /proc/PID/stat without allocation, for those who may not allocate. For src/os only.
#pragma once

#include <cstdint>
#include <string_view>

namespace steward::os {

// The fields of process.hpp's ProcessStat, the command still in the line.
struct StatFields {
    std::int32_t pid = 0;
    std::string_view command;
    char state = '?';
    std::int32_t parent = 0;
    std::int32_t group = 0;
    std::int32_t session = 0;
    std::uint64_t cpu_ticks = 0;
    std::uint64_t tasks = 0;
    std::uint64_t start_time = 0;
};

// False for what is no such line. Async-signal-safe.
bool scan_stat(std::string_view line, StatFields& fields) noexcept;

// The calling process's start time; 0 without /proc. Async-signal-safe.
std::uint64_t read_own_start_time() noexcept;

}  // namespace steward::os
