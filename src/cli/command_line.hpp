// The whole program behind main: words in, exit code out.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace steward::cli {

// `words` is argv without the program's name.
[[nodiscard]] int run_command_line(const std::vector<std::string>& words, std::FILE* out, std::FILE* err);

}  // namespace steward::cli
