// Everything a child needs, worked out and allocated before it is born: between fork and exec nothing is looked up or allocated.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "os/fd.hpp"

namespace steward::process {

struct Identity {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
};

// What becomes of the child, as plain values. Built by make_launch_plan; read by Launcher; adjusted by the supervisor (descriptors).
struct LaunchPlan {
    std::string operation = "start";  // of errors: "cannot start web: …"
    std::string service;              // their object; empty: the program
    std::string program;              // absolute, as it is found below root_directory
    Argv argv;
    std::vector<std::string> environment;  // "NAME=value"
    std::string working_directory = "/";
    std::string root_directory;
    std::optional<Identity> identity;  // unset: stays who it is
    unsigned umask = 022;
    struct Limit {
        int resource = 0;
        std::string name;
        ResourceLimit limit;
    };
    std::vector<Limit> limits;
    std::optional<int> nice;
    std::optional<int> oom_score_adjust;
    std::vector<unsigned> cpu_affinity;
    std::optional<std::uint64_t> bounding_capabilities;
    std::uint64_t ambient_capabilities = 0;
    bool no_new_privileges = false;

    // Owned by the caller, for the time of the launch.
    os::BorrowedFd standard_input;   // none: /dev/null
    os::BorrowedFd standard_output;  // none: /dev/null
    os::BorrowedFd standard_error;   // none: as standard_output
    bool inherit_output = false;     // 1 and 2 stay the parent's
    struct Passed {
        os::BorrowedFd fd;
        int as = 0;  // 3 or more, each once
    };
    std::vector<Passed> passed;     // further descriptors of the program
    bool tells_listen_pid = false;  // the child writes its PID into the variable LISTEN_PID of `environment`
    os::BorrowedFd launch_lock;     // close-on-exec; held by the child until exec; none: none
    os::BorrowedFd cgroup;          // directory; none: stays where it is. Not to be allowed in is no failure, see Launched::in_cgroup
    bool new_session = true;
    int parent_death_signal = 0;  // sent to the program when the thread that launches it ends; 0: none. Not with detach
    bool detach = false;          // new session and second fork: the child is nobody's child and no session leader

    // The child writes its os::MainBlock here, before any limit takes effect. Close-on-exec; none: it does not.
    os::BorrowedFd record;
};

// A plan that most services do not have, and that takes no room where it is not: empty, then. A supervisor may have thousands of services.
using OptionalPlan = std::shared_ptr<const LaunchPlan>;

struct PlanContext {
    bool as_pid_1 = false;                                 // InheritEnvironment::automatic means yes
    std::map<std::string, std::string> extra_environment;  // RUNTIME_DIRECTORY, MAINPID, …: wins over the file's
};

// What tells a program of the sockets that it is given (sd_listen_fds(3)).
[[nodiscard]] std::map<std::string, std::string> listen_variables(const ServiceSpec& spec);

// Looks up accounts, reads environment files, resolves the program. Makes nothing. May block in the name service.
// program_missing (naming the path), failed (an unknown user, naming it), not_permitted (another user's identity without privilege; a
// program that would run as root and that somebody else can write, CVE-2017-14312).
Result<LaunchPlan> make_launch_plan(const ServiceSpec& spec, const PlanContext& context);
// The same environment and identity for another program of the service: stop and reload commands.
Result<LaunchPlan> make_command_plan(const ServiceSpec& spec, const Argv& command, const PlanContext& context);

// Where the names of [directories] are made: /run, /var/lib, … or the caller's XDG directories.
struct DirectoryRoots {
    std::string runtime;
    std::string state;
    std::string cache;
    std::string logs;
    std::string configuration;
};
[[nodiscard]] DirectoryRoots directory_roots(bool system_scope);

// Makes [directories], owned by the service's user (configuration by the caller), never through a symlink. Returns RUNTIME_DIRECTORY
// and its like. A name that is absolute or holds ".." is invalid_argument.
Result<std::map<std::string, std::string>> make_directories(const ServiceSpec& spec, const DirectoryRoots& roots);

// POSIX environment file, systemd's syntax: comments, quotes, continuation lines; no expansion. As with systemd, a line that assigns
// to no valid name is skipped: files that a shell reads too have such lines. An unclosed quote and a NUL are errors.
Result<std::vector<std::pair<std::string, std::string>>> parse_environment_file(const std::string& text, const std::string& path);
}  // namespace steward::process
