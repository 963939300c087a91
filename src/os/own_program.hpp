// The program of this process, and its replacement by another under the same PID.
#pragma once

#include <span>
#include <string>

#include <steward/result.hpp>

namespace steward::os {

// The path of the file that is executed. Another one may stand there by now: then this is its path.
Result<std::string> own_program();

// Executes `program` in this process's place, with its environment, signal mask and children; `keep` stay open. Returns only to fail, with an
// errno and everything as it was. Allocates nothing.
int become(const char* program, char* const* argv, std::span<const int> keep) noexcept;

// Of a descriptor that came over exec: it goes to no other program.
void close_on_exec(int fd) noexcept;

}  // namespace steward::os
