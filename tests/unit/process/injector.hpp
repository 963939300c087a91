// Runs a program under ptrace(2) and makes one system call of it, or of a process that it makes, fail; or kills the process there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace steward::test {

// What the program calls before and after the stretch that is looked at: sched_get_priority_max(2) of this policy.
inline constexpr int marker_policy = 7777;

// A system call: of the program itself (generation 0, only between the markers), of its child (1), of its child's child (2), both from
// birth to exec.
struct SystemCall {
    unsigned generation = 0;
    unsigned index = 0;  // among the calls of its generation
    std::uint64_t number = 0;
    std::uint64_t first_argument = 0;
};

struct Fault {
    unsigned generation = 0;
    unsigned index = 0;
    int error = 0;  // 0: the process is killed there
};

struct Observation {
    std::vector<SystemCall> calls;
    std::vector<std::string> lines;        // of standard output
    std::optional<std::int32_t> executed;  // the process that reached exec
    bool executed_lives = false;           // when the program itself had ended and all who would end had
    bool others_live = false;              // the same of a process that had not
    bool hung = false;
};

Observation observe(const std::vector<std::string>& argv, const std::optional<Fault>& fault = {});

}  // namespace steward::test
