// Compares text with a file below tests/golden/cli. With STEWARD_UPDATE_GOLDEN in the environment it writes the file instead.
#pragma once

#include <string>

namespace steward::cli {

void expect_golden(const std::string& name, const std::string& text);

// The content of a file of the source tree, by its path from the root.
std::string source_file(const std::string& path);

}  // namespace steward::cli
