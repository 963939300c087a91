#include "manager/paths.hpp"

#include "os/account.hpp"
#include "os/environment.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::manager {

namespace {

std::string variable(const char* name)
{
    auto value = os::environment_variable(name);
    // A relative directory would mean another place for every caller.
    return value && value->starts_with('/') ? *value : "";
}

Result<std::string> home_directory()
{
    if (auto home = variable("HOME"); !home.empty()) return home;
    auto account = os::account_of(os::effective_uid());
    if (!account) return fail(account.error());
    if (account->home.empty() || account->home == "/nonexistent") {
        return fail(Error{.code = ErrorCode::failed,
                          .operation = "find",
                          .object = "the user's directories",
                          .cause = "neither HOME nor XDG_CONFIG_HOME is set",
                          .next_step = "set HOME, or use --system"});
    }
    return account->home;
}

Result<std::string> xdg(const char* name, const char* below_home)
{
    if (auto directory = variable(name); !directory.empty()) return directory;
    auto home = home_directory();
    if (!home) return fail(home.error());
    return *home + below_home;
}

// Never /tmp: anybody could have prepared it.
Result<std::string> user_runtime()
{
    if (auto directory = variable("XDG_RUNTIME_DIR"); !directory.empty()) return directory;
    const std::string by_uid = "/run/user/" + std::to_string(os::effective_uid());
    const auto info = os::info_at(by_uid);
    if (info && *info && (*info)->kind == os::FileInfo::Kind::directory && (*info)->uid == os::effective_uid()) return by_uid;
    return xdg("XDG_STATE_HOME", "/.local/state");
}

Result<Paths> user_paths()
{
    auto config = xdg("XDG_CONFIG_HOME", "/.config");
    if (!config) return fail(config.error());
    auto runtime = user_runtime();
    if (!runtime) return fail(runtime.error());
    auto state = xdg("XDG_STATE_HOME", "/.local/state");
    if (!state) return fail(state.error());
    auto data = xdg("XDG_DATA_HOME", "/.local/share");
    if (!data) return fail(data.error());
    return Paths{.scope = Scope::user,
                 .config = {*config + "/steward"},
                 .overrides = *config + "/steward",
                 .runtime = *runtime + "/steward",
                 .log = *state + "/steward/log",
                 .state = *state + "/steward",
                 .user_units = *data + "/systemd/user",
                 .user_unit_links = *config + "/systemd/user"};
}

}  // namespace

Result<Paths> paths_of(Scope scope)
{
    const std::string config = variable("STEWARD_CONFIG_DIR");
    const std::string runtime = variable("STEWARD_RUNTIME_DIR");
    const std::string log = variable("STEWARD_LOG_DIR");
    const std::string state = variable("STEWARD_STATE_DIR");
    Paths paths{.scope = Scope::system,
                .config = {"/etc/steward", "/usr/local/lib/steward", "/usr/lib/steward"},
                .overrides = "/etc/steward",
                .runtime = "/run/steward",
                .log = "/var/log/steward",
                .state = "/var/lib/steward",
                .user_units = {},
                .user_unit_links = {}};
    if (scope == Scope::user) {
        paths.scope = Scope::user;
        const bool all_given = !config.empty() && !runtime.empty() && !log.empty() && !state.empty();
        auto user = user_paths();
        if (!user && !all_given) return user;
        if (user) paths = std::move(*user);
    }
    if (!config.empty()) {
        paths.config = {config};
        paths.overrides = config;
    }
    if (!runtime.empty()) {
        paths.runtime = runtime;
        paths.default_runtime = false;
    }
    if (!log.empty()) paths.log = log;
    if (!state.empty()) paths.state = state;
    const std::string journal = variable("STEWARD_JOURNAL_SOCKET");
    const std::string syslog = variable("STEWARD_SYSLOG_SOCKET");
    paths.journal_socket = journal.empty() ? "/run/systemd/journal/socket" : journal;
    paths.syslog_socket = syslog.empty() ? "/dev/log" : syslog;
    return paths;
}

Scope callers_scope()
{
    return os::effective_uid() == 0 ? Scope::system : Scope::user;
}

}  // namespace steward::manager
