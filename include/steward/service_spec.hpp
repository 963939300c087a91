// The service file as values: every key of steward.toml(5), resolved, with its default where the file is silent.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steward {

using Argv = std::vector<std::string>;
using Duration = std::chrono::microseconds;

enum class ServiceType { simple, forking, oneshot };
enum class StopMode { group, mixed, main };
enum class RestartPolicyKind { never, on_success, on_failure, on_abnormal, always };
enum class LogOutput { automatic, file, journal, syslog, inherit, null };
enum class LogTimestamps { none, iso8601, tai64n };
enum class LogCompression { none, gzip, zstd };
enum class Supervisor { automatic, init, steward };            // automatic: the init system where it can say all that is asked
enum class InheritEnvironment { automatic, yes, no, listed };  // automatic: yes as PID 1, else no

struct EnvironmentFile {
    std::string path;
    bool optional = false;  // written with a leading '-'
    friend bool operator==(const EnvironmentFile&, const EnvironmentFile&) = default;
};

// At most so many lines in so much time. 0 lines: no limit.
struct RateLimit {
    std::uint64_t lines = 0;
    Duration window = std::chrono::seconds(1);
    friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// A resource limit as setrlimit(2) takes it. UINT64_MAX is "infinity".
struct ResourceLimit {
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
    friend bool operator==(const ResourceLimit&, const ResourceLimit&) = default;
};

// What [dependencies] may name beside services: states of the system, which each init system has its own words for. Where there is no init
// system they are taken as met.
inline constexpr std::array<std::string_view, 7> neutral_names = {"network", "network-online", "local-fs",   "remote-fs",
                                                                  "time",    "syslog",         "name-lookup"};
[[nodiscard]] constexpr bool is_neutral_name(std::string_view name)
{
    for (const std::string_view neutral : neutral_names) {
        if (name == neutral) return true;
    }
    return false;
}

// A socket that listens for the service before it runs and while it restarts.
struct Socket {
    std::string name;    // told to the program; empty: the service's
    std::string listen;  // "tcp://127.0.0.1:8080", "udp://[::1]:53", "unix:///run/web/socket"
    unsigned backlog = 4096;
    unsigned mode = 0666;  // of a Unix socket's file
    friend bool operator==(const Socket&, const Socket&) = default;
};

// One service. Members are named after their tables and keys. Passive: made by config, read by everybody else.
struct ServiceSpec {
    std::string name;      // "web", "worker@1"
    std::string instance;  // "1" for worker@1, else empty

    struct Service {
        std::string description;
        std::vector<std::string> documentation;
        ServiceType type = ServiceType::simple;
        Argv command;
        std::string options_variable;  // empty: none
        std::string working_directory = "/";
        std::string root_directory;  // empty: none
        std::string user;            // empty: the caller
        std::string group;           // empty: the user's primary group
        std::vector<std::string> supplementary_groups;
        unsigned umask = 022;
        std::map<std::string, std::string> environment;
        std::vector<EnvironmentFile> environment_files;
        InheritEnvironment inherit_environment = InheritEnvironment::automatic;
        std::vector<std::string> inherited_variables;  // with InheritEnvironment::listed
        std::string pid_file;                          // empty: the scope's default
        bool supervise = true;
        friend bool operator==(const Service&, const Service&) = default;
    } service;

    struct Directories {
        std::vector<std::string> runtime, state, cache, logs, configuration;
        unsigned mode = 0755;
        friend bool operator==(const Directories&, const Directories&) = default;
    } directories;

    // How the service says that it is ready. None written: a simple service when it first waits for something, a forking one when its
    // parent has ended, a oneshot when it has ended itself.
    struct Ready {
        bool notify = false;
        int fd = 0;               // 0: none
        std::string log;          // a regular expression; a line that it matches
        std::string tcp;          // "127.0.0.1:80"
        std::string unix_socket;  // path
        std::string http;         // "http://127.0.0.1:80/health"
        std::string file;
        Argv command;
        std::optional<Duration> delay;
        std::optional<Duration> timeout;  // unset: see start_limit()
        // No way is written.
        [[nodiscard]] bool is_default() const
        {
            return !notify && fd == 0 && log.empty() && tcp.empty() && unix_socket.empty() && http.empty() && file.empty() &&
                   command.empty() && !delay;
        }
        friend bool operator==(const Ready&, const Ready&) = default;
    } ready;

    // Whether it still works: asked every `interval`, or with watchdog told by the service at least as often. `failures` in a row, and it is
    // ended and restarted by its policy.
    struct Health {
        Argv command;
        std::string tcp;
        std::string http;
        bool watchdog = false;
        Duration interval = std::chrono::seconds(30);
        Duration timeout = std::chrono::seconds(5);
        unsigned failures = 3;
        Duration grace = std::chrono::seconds(0);
        [[nodiscard]] bool is_asked() const { return !command.empty() || !tcp.empty() || !http.empty() || watchdog; }
        friend bool operator==(const Health&, const Health&) = default;
    } health;

    // Commands around the service's life, each list in its order; the first that fails ends the list.
    struct Hooks {
        std::vector<Argv> pre_start, post_start, pre_stop, post_stop, on_failure, on_give_up;
        Duration timeout = std::chrono::seconds(90);  // of each command
        [[nodiscard]] bool has_any() const
        {
            return !(pre_start.empty() && post_start.empty() && pre_stop.empty() && post_stop.empty() && on_failure.empty() &&
                     on_give_up.empty());
        }
        // What those of a start, and those of an end, may take together.
        [[nodiscard]] Duration of_start() const { return timeout * static_cast<long>(pre_start.size() + post_start.size()); }
        [[nodiscard]] Duration of_end() const
        {
            return timeout * static_cast<long>(pre_stop.size() + post_stop.size() + on_failure.size() + on_give_up.size());
        }
        friend bool operator==(const Hooks&, const Hooks&) = default;
    } hooks;

    struct Stop {
        Argv command;  // empty: none
        int signal = 15;
        Duration timeout = std::chrono::seconds(10);
        StopMode mode = StopMode::group;
        friend bool operator==(const Stop&, const Stop&) = default;
    } stop;

    struct Reload {
        int signal = 0;  // 0: none
        Argv command;    // empty: none
        friend bool operator==(const Reload&, const Reload&) = default;
    } reload;

    struct Restart {
        RestartPolicyKind policy = RestartPolicyKind::on_failure;
        Duration delay = std::chrono::milliseconds(100);
        double factor = 2;
        Duration max_delay = std::chrono::seconds(30);
        double jitter = 0.1;
        Duration window = std::chrono::seconds(60);
        unsigned limit = 0;                   // 0: never give up
        std::vector<int> success_exit_codes;  // beside 0
        friend bool operator==(const Restart&, const Restart&) = default;
    } restart;

    struct Log {
        LogOutput output = LogOutput::automatic;
        std::string file;         // empty: the scope's default
        std::string stderr_file;  // empty: with stdout
        LogTimestamps timestamps = LogTimestamps::iso8601;
        std::uint64_t max_size = std::uint64_t{10} << 20U;  // 0: the log is never rotated
        unsigned keep = 5;
        std::uint64_t max_total = 0;  // 0: unbounded
        LogCompression compress = LogCompression::none;
        RateLimit rate_limit;
        friend bool operator==(const Log&, const Log&) = default;
    } log;

    std::map<std::string, ResourceLimit> limits;  // by rlimit name in lower case: "nofile"

    struct Resources {
        std::optional<std::uint64_t> memory;  // bytes that all its processes may use together
        std::optional<unsigned> cpu;          // in percent of one CPU
        std::optional<std::uint64_t> tasks;   // processes and threads
        std::optional<int> nice;
        std::optional<int> oom_score_adjust;
        std::vector<unsigned> cpu_affinity;  // empty: all
        friend bool operator==(const Resources&, const Resources&) = default;
    } resources;

    struct Security {
        bool no_new_privileges = false;
        std::optional<std::vector<std::string>> capabilities;  // the bounding set, lower case with "cap_"; empty list: none
        std::vector<std::string> ambient_capabilities;
        friend bool operator==(const Security&, const Security&) = default;
    } security;

    std::vector<Socket> sockets;  // in the order in which the program gets them, from descriptor 3 on

    struct Dependencies {
        std::vector<std::string> required;  // the key `requires`: must be up first, and are not stopped without this service
        std::vector<std::string> wanted;    // the key `wants`: are started first, whether they come up or not
        std::vector<std::string> after, before;
        friend bool operator==(const Dependencies&, const Dependencies&) = default;
    } dependencies;

    struct Install {
        bool enable = true;
        Supervisor supervisor = Supervisor::automatic;
        friend bool operator==(const Install&, const Install&) = default;
    } install;

    // [systemd.*]: settings that go into the unit word for word. A setting may stand there several times.
    struct Systemd {
        using Settings = std::map<std::string, std::vector<std::string>>;
        Settings unit, service, install;
        friend bool operator==(const Systemd&, const Systemd&) = default;
    } systemd;

    // Whether the program is given a socket for messages of sd_notify(3).
    [[nodiscard]] bool listens() const { return ready.notify || health.watchdog; }

    // What the program knows the socket by. In a list of such names ':' stands between them.
    [[nodiscard]] std::string name_of(const Socket& socket) const
    {
        std::string known = socket.name.empty() ? name : socket.name;
        for (char& c : known) c = c == ':' ? '_' : c;
        return known;
    }

    // How long a start may take until the service is ready; unset: as long as it likes.
    [[nodiscard]] std::optional<Duration> start_limit() const
    {
        if (ready.timeout || service.type == ServiceType::oneshot) return ready.timeout;
        return std::chrono::seconds(90);
    }

    friend bool operator==(const ServiceSpec&, const ServiceSpec&) = default;
};

// Where a key of the resolved service file comes from. Line 0: the built-in default.
struct ResolvedKey {
    std::string path;   // "restart.delay"
    std::string value;  // as TOML
    std::string file;   // empty: default
    unsigned line = 0;
};

}  // namespace steward
