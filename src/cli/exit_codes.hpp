// Errors as LSB exit codes (LSB 5.0 core, "Init Script Actions").
#pragma once

#include <string_view>

#include <steward/result.hpp>

#include "cli/verbs.hpp"

namespace steward::cli {

constexpr int exit_done = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_unknown_status = 4;

// `status` has codes of its own; whatever keeps it from judging a service is "unknown".
[[nodiscard]] int exit_code(VerbId verb, ErrorCode code);

// "unknown_service": the word for a code in JSON.
[[nodiscard]] std::string_view to_string(ErrorCode code);

}  // namespace steward::cli
