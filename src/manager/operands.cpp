#include "manager/operands.hpp"

#include <algorithm>

#include "manager/catalog.hpp"
#include "manager/located.hpp"
#include "manager/paths.hpp"
#include "os/error.hpp"

namespace steward::manager {

namespace {

Error no_name(const std::string& word)
{
    return Error{.code = ErrorCode::invalid_argument,
                 .operation = "use",
                 .object = os::quoted(word),
                 .cause = "not a service's name: letters and digits, then also '_', '.', '@', ':', '-'"};
}

// The scope that was asked for, or the caller's and then the other.
std::vector<Paths> scopes(std::optional<Scope> scope)
{
    std::vector<Paths> found;
    const Scope first = scope.value_or(callers_scope());
    if (auto paths = paths_of(first)) found.push_back(std::move(*paths));
    if (scope) return found;
    const Scope second = first == Scope::system ? Scope::user : Scope::system;
    if (auto paths = paths_of(second)) found.push_back(std::move(*paths));
    return found;
}

}  // namespace

Result<std::vector<Target>> all_services(std::optional<Scope> scope)
{
    std::vector<std::string> names;
    for (const auto& paths : scopes(scope)) {
        auto known = known_names(paths);
        // The other scope may be closed to this caller; its own may not.
        if (!known && names.empty() && scope) return fail(known.error());
        if (known) names.insert(names.end(), known->begin(), known->end());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::vector<Target> targets;
    for (auto& name : names) targets.push_back({.name = std::move(name), .file = {}, .command = {}});
    return targets;
}

Result<std::vector<Target>> resolve(const std::vector<std::string>& operands, std::optional<Scope> scope)
{
    std::vector<Target> targets;
    for (const std::string& operand : operands) {
        if (operand.find('/') != std::string::npos || operand.ends_with(".toml")) {
            auto paths = paths_of(scope.value_or(callers_scope()));
            if (!paths) return fail(paths.error());
            auto sources = sources_of_file(*paths, operand);
            if (!sources) return fail(sources.error());
            targets.push_back({.name = sources->name, .file = sources->file, .command = {}});
            continue;
        }
        if (!is_glob(operand)) {
            if (!config::is_valid_name(operand)) {
                return fail(no_name(operand));
            }
            targets.push_back({.name = operand, .file = {}, .command = {}});
            continue;
        }
        auto known = all_services(scope);
        if (!known) return fail(known.error());
        const auto before = targets.size();
        for (auto& target : *known) {
            if (glob_matches(operand, target.name)) targets.push_back(std::move(target));
        }
        if (targets.size() == before) {
            return fail(Error{.code = ErrorCode::unknown_service,
                              .operation = "find",
                              .object = os::quoted(operand),
                              .cause = "no service's name matches",
                              .next_step = "steward list"});
        }
    }
    return targets;
}

Result<Target> ad_hoc(std::string name, Argv command)
{
    if (!config::is_valid_name(name)) {
        return fail(no_name(name));
    }
    if (command.empty()) {
        return fail(Error{.code = ErrorCode::invalid_argument,
                          .operation = "start",
                          .object = name,
                          .cause = "no command is given",
                          .next_step = "steward start --name " + name + " -- CMD ARG..."});
    }
    return Target{.name = std::move(name), .file = {}, .command = std::move(command)};
}

}  // namespace steward::manager
