// A tool of the host, run to its end.
#pragma once

#include <string>
#include <vector>

#include <steward/manager.hpp>
#include <steward/result.hpp>
#include <steward/service_spec.hpp>

namespace steward::os {

struct CommandEnd {
    ExitStatus exit;
    std::string output;  // of both streams, at most 64 KiB
    [[nodiscard]] bool succeeded() const { return exit.known && !exit.signalled && exit.code == 0; }
};

// Found by name in the directories that a system's own programs are in, whatever PATH says; its standard input is /dev/null, its
// environment is little more than that PATH. Blocks. program_missing when there is none.
Result<CommandEnd> run_command(const Argv& command);
// With more in its environment: "NAME=value".
Result<CommandEnd> run_command_with(const std::vector<std::string>& variables, const Argv& command);

// Its path; empty: there is none.
[[nodiscard]] std::string find_tool(const std::string& name);

}  // namespace steward::os
