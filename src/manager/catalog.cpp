#include "manager/catalog.hpp"

#include <algorithm>

#include "os/error.hpp"
#include "os/file.hpp"
#include "os/glob.hpp"
#include "record/record.hpp"

namespace steward::manager {

namespace {

constexpr std::string_view suffix = ".toml";

std::string template_of(const std::string& name)
{
    const auto at = name.find('@');
    return at == std::string::npos || at + 1 == name.size() ? "" : name.substr(0, at + 1);
}

Result<config::Sources> with_overrides(const Paths& paths, const std::string& name, std::string file)
{
    config::Sources sources{.name = name, .file = std::move(file), .overrides = {}};
    for (const std::string& place : override_directories(paths, name)) {
        auto names = os::list_directory(place);
        if (!names) return fail(names.error());
        for (const auto& override : *names) {
            if (override.ends_with(suffix)) sources.overrides.push_back(place + "/" + override);
        }
    }
    return sources;
}

}  // namespace

std::vector<std::string> service_file_candidates(const Paths& paths, const std::string& name)
{
    std::vector<std::string> candidates;
    for (const std::string& stem : {name, template_of(name)}) {
        if (stem.empty()) continue;
        for (const std::string& directory : paths.config) candidates.push_back(directory + "/" + stem + std::string(suffix));
    }
    return candidates;
}

// The template's first: what is written for one instance wins.
std::vector<std::string> override_directories(const Paths& paths, const std::string& name)
{
    std::vector<std::string> directories;
    for (const std::string& stem : {template_of(name), name}) {
        if (!stem.empty()) directories.push_back(paths.overrides + "/" + stem + std::string(suffix) + ".d");
    }
    return directories;
}

Result<std::optional<config::Sources>> find_service_file(const Paths& paths, const std::string& name)
{
    for (const std::string& file : service_file_candidates(paths, name)) {
        auto info = os::info_at(file, true);
        if (!info) return fail(info.error());
        if (!*info) continue;
        auto sources = with_overrides(paths, name, file);
        if (!sources) return fail(sources.error());
        return std::optional(std::move(*sources));
    }
    return std::optional<config::Sources>();
}

Result<config::Sources> sources_of_file(const Paths& paths, const std::string& file)
{
    const std::string base = os::base_of(file);
    const std::string name = base.ends_with(suffix) ? base.substr(0, base.size() - suffix.size()) : base;
    if (!config::is_valid_name(name) || name.ends_with('@')) {
        return fail(Error{.code = ErrorCode::invalid_argument,
                          .operation = "use",
                          .object = os::quoted(file),
                          .cause = name.ends_with('@') ? "a template has no name of its own" : "a service cannot be named after it",
                          .next_step = name.ends_with('@') ? name + "INSTANCE" : "rename it to letters, digits, '_', '.', ':' or '-'"});
    }
    return with_overrides(paths, name, os::absolute(file));
}

std::string service_file_name(const std::string& file)
{
    const std::string base = os::base_of(file);
    return base.ends_with(suffix) ? base : base + std::string(suffix);
}

Result<std::vector<std::string>> known_names(const Paths& paths)
{
    auto names = record::recorded_names(paths.runtime);
    if (!names) return names;
    for (const auto& directory : paths.config) {
        auto files = os::list_directory(directory);
        if (!files) return fail(files.error());
        for (const auto& file : *files) {
            if (!file.ends_with(suffix)) continue;
            const std::string name = file.substr(0, file.size() - suffix.size());
            if (config::is_valid_name(name) && !name.ends_with('@')) names->push_back(name);
        }
    }
    std::sort(names->begin(), names->end());
    names->erase(std::unique(names->begin(), names->end()), names->end());
    return names;
}

bool is_of_an_init_system(const std::string& name, Scope scope)
{
    const auto is_there = [](const std::string& path) {
        const auto info = os::info_at(path, true);
        return info && *info;
    };
    const std::string kind = scope == Scope::system ? "system/" : "user/";
    for (const char* directory : {"/etc/systemd/", "/run/systemd/", "/usr/local/lib/systemd/", "/usr/lib/systemd/", "/lib/systemd/"}) {
        for (const std::string& stem : {name, template_of(name)}) {
            if (!stem.empty() && is_there(directory + kind + stem + ".service")) return true;
        }
    }
    if (scope == Scope::user) return false;
    const auto directories = {"/etc/init.d/", "/etc/sv/", "/etc/s6/sv/", "/etc/dinit.d/"};
    return std::ranges::any_of(directories, [&](const char* directory) { return is_there(directory + name); });
}

bool is_glob(const std::string& operand)
{
    return operand.find_first_of("*?[") != std::string::npos;
}

bool glob_matches(const std::string& pattern, const std::string& name)
{
    return os::matches_glob(pattern, name);
}

}  // namespace steward::manager
