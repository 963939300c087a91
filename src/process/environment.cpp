#include "process/environment.hpp"

#include <algorithm>
#include <array>

#include "os/environment.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::process {

namespace {

constexpr std::size_t environment_file_limit = 1024 * 1024;

void set_account(Environment& into, const os::Account& account)
{
    into["HOME"] = account.home;
    into["SHELL"] = account.shell;
    if (account.name.empty()) return;  // a number without an account
    into["USER"] = account.name;
    into["LOGNAME"] = account.name;
}

Environment inherited_environment(const std::optional<os::Account>& user, bool as_pid_1)
{
    Environment base;
    for (auto& [name, value] : os::whole_environment()) {
        if (!is_hostile_variable(name)) base.insert_or_assign(name, std::move(value));
    }
    // The one who starts PID 1 of a container writes its environment and its file system alike: there PATH is the image's.
    if (!as_pid_1 || !base.contains("PATH")) base["PATH"] = default_path;
    if (user) set_account(base, *user);
    return base;
}

Result<Environment> fresh_environment(const ServiceSpec& spec, const std::optional<os::Account>& user)
{
    const auto account = user ? Result<os::Account>(*user) : os::account_of(os::effective_uid());
    if (!account) return fail(account.error());
    Environment base;
    base["PATH"] = default_path;
    base["LANG"] = os::environment_variable("LANG").value_or("C.UTF-8");
    set_account(base, *account);
    if (spec.service.inherit_environment == InheritEnvironment::listed) {
        for (const std::string& name : spec.service.inherited_variables) {
            if (auto value = os::environment_variable(name.c_str())) base[name] = std::move(*value);
        }
    }
    return base;
}

Result<void> read_environment_file(const EnvironmentFile& file, Environment& into)
{
    if (file.optional) {
        auto there = os::info_at(file.path, true);
        if (there && !*there) return {};
    }
    auto text = os::read_file(file.path, environment_file_limit);
    if (!text) return fail(std::move(text.error()));
    auto assignments = parse_environment_file(*text, file.path);
    if (!assignments) return fail(std::move(assignments.error()));
    for (auto& [name, value] : *assignments) into.insert_or_assign(std::move(name), std::move(value));
    return {};
}

}  // namespace

bool is_hostile_variable(std::string_view name)
{
    // The dynamic linker's, what shells run or trust before their first command, and sockets that are steward's own to answer.
    static constexpr std::array<std::string_view, 5> prefixes{"LD_", "LISTEN_", "WATCHDOG_", "BASH_FUNC_", "GLIBC_TUNABLES"};
    static constexpr std::array<std::string_view, 9> names{"IFS",      "NOTIFY_SOCKET", "BASH_ENV",   "ENV",   "SHELLOPTS",
                                                           "BASHOPTS", "PS4",           "GCONV_PATH", "CDPATH"};
    return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); }) ||
           std::ranges::find(names, name) != names.end();
}

Result<ServiceEnvironment> compose_environment(const ServiceSpec& spec, const PlanContext& context, const std::optional<os::Account>& user)
{
    const InheritEnvironment inherit = spec.service.inherit_environment;
    const bool everything = inherit == InheritEnvironment::yes || (inherit == InheritEnvironment::automatic && context.as_pid_1);
    auto base = everything ? Result<Environment>(inherited_environment(user, context.as_pid_1)) : fresh_environment(spec, user);
    if (!base) return fail(std::move(base.error()));

    ServiceEnvironment environment{.all = std::move(*base), .given = {}};
    for (const auto& [name, value] : spec.service.environment) environment.given.insert_or_assign(name, value);
    // As with systemd the files win: they are the administrator's, /etc/default/NAME among them.
    for (const EnvironmentFile& file : spec.service.environment_files) {
        if (auto read = read_environment_file(file, environment.given); !read) return fail(std::move(read.error()));
    }
    for (const auto& [name, value] : environment.given) environment.all.insert_or_assign(name, value);
    for (const auto& [name, value] : context.extra_environment) environment.all.insert_or_assign(name, value);
    return environment;
}

}  // namespace steward::process
