// Finds service files and names: which file describes a service, with which overrides, and what services there are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "config/loader.hpp"
#include "manager/paths.hpp"

namespace steward::manager {

// Where the file of `name` may be, the best first, and where its overrides are, in the order in which they count.
[[nodiscard]] std::vector<std::string> service_file_candidates(const Paths& paths, const std::string& name);
[[nodiscard]] std::vector<std::string> override_directories(const Paths& paths, const std::string& name);

// The file of `name`, an instance's template (worker@.toml for worker@1) where it has none of its own, with its overrides
// (NAME.toml.d/*.toml by name). Unset when there is none.
Result<std::optional<config::Sources>> find_service_file(const Paths& paths, const std::string& name);

// A file given by path: its service is named after it, its overrides are the scope's.
Result<config::Sources> sources_of_file(const Paths& paths, const std::string& file);

// What a file has to be called to be found: its own base name, ending in ".toml".
[[nodiscard]] std::string service_file_name(const std::string& file);

// Every name with a service file (templates are none) or a record, sorted.
Result<std::vector<std::string>> known_names(const Paths& paths);

// Whether there is a unit or script of this name for some init system: a service that is not steward's.
[[nodiscard]] bool is_of_an_init_system(const std::string& name, Scope scope);

[[nodiscard]] bool is_glob(const std::string& operand);
[[nodiscard]] bool glob_matches(const std::string& pattern, const std::string& name);

}  // namespace steward::manager
