// From a service file to the files of an init system. Pure: nothing is read, written or asked of the host.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <steward/init_system.hpp>
#include <steward/manager.hpp>
#include <steward/result.hpp>
#include <steward/service_spec.hpp>

namespace steward::init {

struct Request {
    const ServiceSpec& spec;
    std::set<std::string, std::less<>> written;  // the keys that the service file writes: "restart.delay"; only they are demands
    Scope scope = Scope::system;
    std::string service_file;                  // named in the files
    std::string source_hash;                   // of what the files are made from
    std::string steward = "/usr/bin/steward";  // the absolute path that the files call
    bool with_steward = true;

    [[nodiscard]] bool writes(std::string_view key) const { return written.contains(key); }
};

// The keys that `keys` takes from a file: "service.environment" for service.environment.PATH.
[[nodiscard]] std::set<std::string, std::less<>> written_keys(const std::vector<ResolvedKey>& keys);

struct Rendered {
    std::vector<GeneratedFile> files;
    std::vector<KeyNote> notes;
    bool needs_steward = false;  // the files call steward, which will look for the service file
};

// invalid_service_file: a value holds a newline, or the name cannot be one of the init system's. unsupported: no such files in the user
// scope.
Result<Rendered> render(InitSystem system, const Request& request);

// The documentation of the mapping: docs/init-systems.md.
[[nodiscard]] std::string mapping_page();

}  // namespace steward::init
