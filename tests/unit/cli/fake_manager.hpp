// A host that answers from tables, and a Manager over it that is linked in place of the real one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <steward/manager.hpp>

namespace steward::cli {

struct FakeHost {
    std::map<std::string, ServiceStatus> services;  // what all(), globs and status know
    std::map<std::string, Error> errors;            // what every call on that service or operand fails with
    StartOutcome start_outcome;
    StopOutcome stop_outcome;
    RunOutcome run_outcome;
    RunOptions run_options;
    bool supervised = true;  // there is something to replace
    std::vector<ResolvedKey> keys;
    std::vector<StartPart> along;  // what start and restart tell of beside the service
    std::map<std::string, ServiceSpec::Dependencies> dependencies;
    bool reversed = false;  // start is done with the last target first
    Generated generated;
    std::vector<LogLine> log;  // what the logs of all services hold, in order
    Installation installation;
    Application application;

    std::optional<Scope> scope;      // what the last Manager was made with
    std::vector<std::string> calls;  // "start web", in order
    StartOptions start_options;      // of the last call that took some
    StatusOptions status_options;    // likewise
    GenerateOptions generate_options;
    LogOptions log_options;
    InstallOptions install_options;
    UninstallOptions uninstall_options;
    BootOptions boot_options;
    ApplyOptions apply_options;
    Argv ad_hoc_command;
    std::map<std::string, std::string> objections;  // of the host to what a package does: "stop web"
    bool in_maintainer_script = false;
};

// The host of the running test; reset by CommandLineTest.
FakeHost& fake_host();

// A running service called `name`, unremarkable.
ServiceStatus running_service(const std::string& name);

}  // namespace steward::cli
