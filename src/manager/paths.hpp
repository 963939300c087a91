// Where a scope keeps its files: design.md's table, with the STEWARD_*_DIR variables over it.
#pragma once

#include <string>
#include <vector>

#include <steward/manager.hpp>
#include <steward/result.hpp>

namespace steward::manager {

struct Paths {
    Scope scope = Scope::system;
    std::vector<std::string> config;  // directories of service files, first found wins
    std::string overrides;            // directory of NAME.toml.d
    std::string runtime;              // records, PID files
    std::string log;
    std::string state;            // manifests, and what starts at boot without an init system
    std::string user_units;       // of the user scope: where units go, and the links that enable them
    std::string user_unit_links;  // systemd's, in the user's configuration
    std::string journal_socket;
    std::string syslog_socket;
    bool default_runtime = true;

    [[nodiscard]] std::string pid_file(const std::string& name) const { return runtime + "/" + name + ".pid"; }
    [[nodiscard]] std::string log_file(const std::string& name) const { return log + "/" + name + ".log"; }
    [[nodiscard]] std::string event_log() const { return log + "/steward.log"; }
};

// Fails where the user scope has no home to be in.
Result<Paths> paths_of(Scope scope);

// root's is the system's.
[[nodiscard]] Scope callers_scope();

}  // namespace steward::manager
