// Answers as JSON documents, the schema of docs/json.md. json.cpp alone includes nlohmann/json, because it compiles for seconds.
#pragma once

#include <string>

#include "cli/answers.hpp"
#include "cli/console.hpp"
#include "cli/tree.hpp"

namespace steward::cli {

// One indented document each, with a newline at its end. Invalid UTF-8 becomes U+FFFD; what goes to a terminal is ASCII.
[[nodiscard]] std::string status_json(const Answers<ServiceStatus>& answers, const Style& style);
[[nodiscard]] std::string list_json(const Answers<ServiceStatus>& answers, const Style& style);
// With the dependencies of each that is in the map.
[[nodiscard]] std::string tree_json(const Answers<ServiceStatus>& answers, const DependencyMap& dependencies, const Style& style);
[[nodiscard]] std::string show_json(const Answers<ShownService>& answers, const Style& style);
[[nodiscard]] std::string generate_json(const Answers<Generated>& answers, const Style& style);
// `scripts`: those of all the services together.
[[nodiscard]] std::string scripts_json(const Answers<std::vector<PackageScript>>& answers,
                                       const Result<std::vector<PackageScript>>& scripts, const Style& style);
[[nodiscard]] std::string check_json(const Answers<Generated>& answers, const Style& style);
[[nodiscard]] std::string installation_json(const Answers<Installation>& answers, const Style& style);
[[nodiscard]] std::string application_json(const Answers<Application>& answers, const Style& style);
[[nodiscard]] std::string deeds_json(const Answers<Deed>& answers, const Style& style);

// One object, in one line.
[[nodiscard]] std::string log_line_json(const LogLine& line, const Style& style);
[[nodiscard]] std::string log_fault_json(const std::string& service, const Error& error, const Style& style);

}  // namespace steward::cli
