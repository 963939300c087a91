#include "cli/targets.hpp"

#include <algorithm>

#include <steward/words.hpp>

namespace steward::cli {

namespace {

void add(Answers<Target>& found, const std::string& operand, Result<std::vector<Target>> resolved)
{
    if (!resolved) {
        found.push_back({operand, fail(std::move(resolved.error()))});
        return;
    }
    for (Target& target : *resolved) {
        const bool known = std::any_of(found.begin(), found.end(), [&](const Answer<Target>& other) {
            return other.result && other.result->name == target.name && other.result->file == target.file;
        });
        if (!known) found.push_back({target.file.empty() ? target.name : target.file, std::move(target)});
    }
}

}  // namespace

Answers<Target> targets_of(const Arguments& arguments, const Manager& manager)
{
    if (!arguments.command.empty()) return {{arguments.name, manager.ad_hoc(arguments.name, arguments.command)}};
    Answers<Target> found;
    if (arguments.operands.empty()) add(found, "", arguments.verb->id == VerbId::run ? manager.enabled() : manager.all());
    for (const std::string& operand : arguments.operands) add(found, operand, manager.resolve({operand}));
    return found;
}

std::string near_miss(const Manager& manager, const std::string& operand, const Error& error)
{
    const bool is_name = operand.find_first_of("/*?[") == std::string::npos && !operand.ends_with(".toml");
    if (error.code != ErrorCode::unknown_service || !is_name) return {};
    const auto known = manager.all();
    if (!known) return {};
    std::vector<std::string> names;
    for (const Target& target : *known) names.push_back(target.name);
    const std::string right = nearest(operand, names);
    return right.empty() || right == operand ? std::string{} : " (did you mean '" + right + "'?)";
}

}  // namespace steward::cli
