// A target, found: its scope, its service file, its record.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <steward/manager.hpp>

#include "config/loader.hpp"
#include "init/authority.hpp"
#include "manager/catalog.hpp"
#include "manager/paths.hpp"
#include "record/record.hpp"

namespace steward::manager {

struct Located {
    std::string name;
    Argv ad_hoc;  // the command, where there is no file
    Paths paths;
    std::optional<config::Sources> sources;
    std::optional<record::ServiceDirectory> directory;
    std::optional<config::Loaded> loaded = {};                                // what load_current() gives, where the file was read already
    std::vector<os::UniqueFd> sockets = {};                                   // of the supervisor before, for the next start
    std::function<std::unique_ptr<init::Authority>(Scope)> init_system = {};  // the booted one, which may know it; empty: is not asked
};

// In the given scope, or in the caller's and then the other. unknown_service when neither a file nor a record has the name (an ad hoc
// command makes it known).
Result<Located> locate(const Target& target, std::optional<Scope> scope, const std::string& operation);

// The service as its file has it now; without a file as it was started; ad hoc as its command says.
Result<config::Loaded> load_current(const Located& located);
// As it was started, from the record; the file where the record cannot tell.
Result<ServiceSpec> load_started(const Located& located);

}  // namespace steward::manager
