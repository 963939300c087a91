// Everything a child needs, worked out and allocated before it is born: between fork and exec nothing is looked up or allocated.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
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
    std::string program;  // absolute, found in PATH before any chroot when argv[0] has no '/'
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
    os::BorrowedFd record;           // the child writes its MainBlock here before exec; none: it does not
    os::BorrowedFd launch_lock;      // held by the child until exec; none: none
    os::BorrowedFd cgroup;           // directory; none: stays where it is
    std::string cgroup_path;
    bool new_session = true;
    bool detach = false;  // second fork: the child is nobody's child and no session leader
};

struct PlanContext {
    bool as_pid_1 = false;                                 // InheritEnvironment::automatic means yes
    std::map<std::string, std::string> extra_environment;  // RUNTIME_DIRECTORY, MAINPID, …: wins over the file's
};

// Looks up accounts, reads environment files, resolves the program. Makes nothing.
// program_missing (naming the path), failed (an unknown user, naming it), not_permitted (another user's identity without privilege).
Result<LaunchPlan> make_launch_plan(const ServiceSpec& spec, const PlanContext& context);
// The same environment and identity for another program of the service: stop and reload commands.
Result<LaunchPlan> make_command_plan(const ServiceSpec& spec, const Argv& command, const PlanContext& context);

// Makes [directories], owned by the service's user, never through a symlink. Returns RUNTIME_DIRECTORY and its like.
Result<std::map<std::string, std::string>> make_directories(const ServiceSpec& spec, bool system_scope);

// POSIX environment file, systemd's syntax: comments, quotes, continuation lines; no expansion.
Result<std::vector<std::pair<std::string, std::string>>> parse_environment_file(const std::string& text, const std::string& path);
// Splits by POSIX quoting without expansion; unset on an unclosed quote.
std::optional<Argv> split_words(std::string_view text);

// "nofile" → RLIMIT_NOFILE; unset: no such limit here.
std::optional<int> rlimit_number(std::string_view name);
// "cap_net_bind_service" → 10; unset: unknown.
std::optional<int> capability_number(std::string_view name);

}  // namespace steward::process
