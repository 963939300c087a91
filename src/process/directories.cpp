// [directories]: made before the start, in the places that systemd's RuntimeDirectory= and its like name.
#include <algorithm>
#include <filesystem>

#include "os/account.hpp"
#include "os/environment.hpp"
#include "os/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "process/identity.hpp"
#include "process/launch_plan.hpp"

namespace steward::process {

namespace {

// Variables of the XDG base directory specification count only when they are absolute.
std::string absolute_variable(const char* name, std::string otherwise)
{
    auto value = os::environment_variable(name);
    return value && value->starts_with('/') ? std::move(*value) : std::move(otherwise);
}

std::string home()
{
    const auto account = os::account_of(os::effective_uid());
    return absolute_variable("HOME", account ? account->home : "/");
}

// /run/user/UID where the host has made one, else with the state: never /tmp, where anybody could have been before.
std::string fallback_runtime(const std::string& state)
{
    const std::string usual = "/run/user/" + std::to_string(os::effective_uid());
    const auto there = os::info_at(usual);
    const bool ours = there && *there && (*there)->kind == os::FileInfo::Kind::directory && (*there)->uid == os::effective_uid();
    return ours ? usual : state + "/run";
}

bool stays_below(const std::string& name)
{
    const std::filesystem::path path(name);
    return !name.empty() && path.is_relative() && std::ranges::none_of(path, [](const auto& part) { return part == ".." || part == "."; });
}

struct Kind {
    const char* variable;
    const std::string& root;
    const std::vector<std::string>& names;
    std::uint32_t uid;
    std::uint32_t gid;
};

Result<std::string> make_kind(const Kind& kind, unsigned mode)
{
    std::string paths;
    for (const std::string& name : kind.names) {
        if (!stays_below(name)) {
            return fail(Error{.code = ErrorCode::invalid_argument,
                              .operation = "make the directory",
                              .object = os::quoted(name),
                              .cause = "it must be the name of a directory below " + os::quoted(kind.root)});
        }
        const std::string path = kind.root + "/" + name;
        if (auto made = os::make_owned_directory(path, mode, kind.uid, kind.gid); !made) return fail(std::move(made.error()));
        paths += (paths.empty() ? "" : ":") + path;
    }
    return paths;
}

}  // namespace

DirectoryRoots directory_roots(bool system_scope)
{
    if (system_scope) {
        return {.runtime = "/run", .state = "/var/lib", .cache = "/var/cache", .logs = "/var/log", .configuration = "/etc"};
    }
    const std::string base = home();
    const std::string state = absolute_variable("XDG_STATE_HOME", base + "/.local/state");
    auto runtime = absolute_variable("XDG_RUNTIME_DIR", "");
    return {.runtime = runtime.empty() ? fallback_runtime(state) : std::move(runtime),
            .state = state,
            .cache = absolute_variable("XDG_CACHE_HOME", base + "/.cache"),
            .logs = state + "/log",
            .configuration = absolute_variable("XDG_CONFIG_HOME", base + "/.config")};
}

Result<std::map<std::string, std::string>> make_directories(const ServiceSpec& spec, const DirectoryRoots& roots)
{
    std::map<std::string, std::string> variables;
    const auto& wanted = spec.directories;
    if (wanted == ServiceSpec::Directories{.mode = wanted.mode}) return variables;

    const auto user = find_service_user(spec);
    if (!user) return fail(user.error());
    const auto& [uid, gid] = std::tie(user->uid, user->gid);
    const Kind kinds[] = {
        {"RUNTIME_DIRECTORY", roots.runtime, wanted.runtime, uid, gid},
        {"STATE_DIRECTORY", roots.state, wanted.state, uid, gid},
        {"CACHE_DIRECTORY", roots.cache, wanted.cache, uid, gid},
        {"LOGS_DIRECTORY", roots.logs, wanted.logs, uid, gid},
        // What a service reads as its orders it must not be able to write.
        {"CONFIGURATION_DIRECTORY", roots.configuration, wanted.configuration, os::effective_uid(), os::effective_gid()},
    };
    for (const Kind& kind : kinds) {
        if (kind.names.empty()) continue;
        auto paths = make_kind(kind, wanted.mode);
        if (!paths) return fail(std::move(paths.error()));
        variables.emplace(kind.variable, std::move(*paths));
    }
    return variables;
}

}  // namespace steward::process
