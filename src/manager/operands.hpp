// Which services the words of a command mean: names, globs, files, and commands given ad hoc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <steward/manager.hpp>
#include <steward/result.hpp>

namespace steward::manager {

// Each service once, by name. `scope` unset: the caller's scope and then the other.
Result<std::vector<Target>> all_services(std::optional<Scope> scope);

// In the order of the operands. What a glob stands for must exist; a name need not.
Result<std::vector<Target>> resolve(const std::vector<std::string>& operands, std::optional<Scope> scope);

Result<Target> ad_hoc(std::string name, Argv command);

}  // namespace steward::manager
