// Which services the operands mean, and which one a wrong operand may have meant.
#pragma once

#include <string>

#include <steward/manager.hpp>

#include "cli/answers.hpp"
#include "cli/arguments.hpp"

namespace steward::cli {

// Each service once, in order; without an operand all of them. An operand that means none is an answer too.
[[nodiscard]] Answers<Target> targets_of(const Arguments& arguments, const Manager& manager);

// " (did you mean 'web'?)" of an operand that is nobody's name; else empty.
[[nodiscard]] std::string near_miss(const Manager& manager, const std::string& operand, const Error& error);

}  // namespace steward::cli
