// The façade behind the verbs: everything that the command line can do, as a library.
//
// A Manager is one caller's view of one host: its scope, its directories. It keeps no state between calls; the truth about a
// service is its record on disk, so any number of Managers, in any number of processes, may work side by side.
// Calls block until they are done or their deadline passes. Nothing is printed, nothing throws, nothing exits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <steward/application.hpp>
#include <steward/init_system.hpp>
#include <steward/installation.hpp>
#include <steward/result.hpp>
#include <steward/service_spec.hpp>

namespace steward {

enum class Scope { system, user };

struct ManagerOptions {
    std::optional<Scope> scope;  // unset: the caller's, then the other
    bool here = false;           // never through the booted init system, as the scripts that it calls do
};

enum class ServiceState {
    stopped,   // not started, or stopped on request
    starting,  // launched, not yet ready
    running,   // ready
    reloading,
    stopping,
    backing_off,  // ended; will be started again
    failed,       // ended and given up
    finished,     // ended by itself, successfully, and not to be restarted
    dead,         // record or PID file says running, and nothing runs
    unknown,      // cannot be told; see ServiceStatus::reason
};
[[nodiscard]] std::string_view to_string(ServiceState state);  // "backing off" is written "backing-off"

struct ExitStatus {
    bool signalled = false;
    int code = 0;       // the exit code, or the signal
    bool known = true;  // false: the process was not steward's child and the kernel keeps no code
    bool core_dumped = false;
    std::chrono::system_clock::time_point at;
};
[[nodiscard]] std::string to_string(const ExitStatus& status);  // "exit code 3", "signal 9 (KILL)"

// What is known of a service at one moment. Sizes are bytes.
struct ServiceStatus {
    std::string name;
    Scope scope = Scope::system;
    std::string description;
    ServiceState state = ServiceState::stopped;
    int lsb_code = 3;    // the exit code of `status`
    std::string reason;  // a sentence on dead, failed and unknown; else may be empty
    bool supervised = true;
    bool supervisor_alive = false;  // false for a supervised, running service: keeper and supervisor are gone; start adopts it
    std::int64_t main_pid = 0;      // 0: none
    std::int64_t supervisor_pid = 0;
    std::int64_t keeper_pid = 0;
    std::optional<std::chrono::system_clock::time_point> since;        // of the state
    std::optional<std::chrono::system_clock::time_point> ready_since;  // unset: it is not ready, or does not run
    std::optional<bool> healthy;                                       // unset: it has no [health], or has not been asked yet
    std::string status_text;                                           // what it says of itself: STATUS of sd_notify(3)
    std::uint64_t restarts = 0;
    std::optional<std::chrono::system_clock::time_point> next_start;  // when backing off
    std::optional<ExitStatus> last_exit;
    // What its cgroup counts, with what the kernel keeps of files for it; else resident, and what processes share counts in parts.
    std::optional<std::uint64_t> memory;
    std::optional<std::uint64_t> memory_peak;
    std::optional<std::uint64_t> memory_limit;  // what holds now; unset: none, or it cannot be told
    std::uint64_t memory_kills = 0;             // processes that the kernel has killed for want of memory, since the start
    std::optional<std::chrono::microseconds> cpu;
    std::optional<std::uint64_t> tasks;  // threads and processes
    std::optional<std::uint64_t> tasks_limit;
    Argv command;
    std::string service_file;           // empty: ad hoc
    bool service_file_changed = false;  // since the start
    bool service_file_gone = false;
    bool unit_stale = false;  // installed: its unit or script was made of another version of the file
    std::string pid_file;
    std::string log_file;     // empty: not a file
    std::string init_system;  // the booted one, if it knows the service: "systemd"; it starts and stops it
    std::string boot;         // there: "enabled", "disabled", "masked" or "static"; may be empty
    std::vector<std::string> last_lines;
};

struct StartOptions {
    bool wait = true;
    std::optional<Duration> timeout;  // unset: [ready] timeout, 90 s
};
struct StartOutcome {
    bool already_running = false;
    bool adopted = false;  // keeper and supervisor were gone, the service was not
    std::int64_t main_pid = 0;
};
struct StopOutcome {
    bool was_running = false;
    bool killed = false;  // the time-out passed and SIGKILL was needed
};

// How a service came to be part of a verb: it was asked for, or it belongs to one that was.
enum class Role {
    asked,
    required,   // started before `of`, which requires it
    wanted,     // started before `of`, which wants it
    dependent,  // requires `of`: stopped before it, and after a restart started again
};
template <class Outcome>
struct Part {
    std::string name;
    Role role = Role::asked;
    std::string of;  // empty with asked
    Result<Outcome> outcome;
};
using StartPart = Part<StartOutcome>;
using StopPart = Part<StopOutcome>;
using OnStarted = std::function<void(const StartPart&)>;
using OnStopped = std::function<void(const StopPart&)>;

// With several services, the lines of those whose output goes to a terminal can be told apart.
struct RunOptions {
    bool label_output = false;  // standard output is a terminal: the service's name goes before each line
    bool label_error = false;   // likewise
    bool colour = false;        // of the names
};
struct RunOutcome {
    std::optional<ExitStatus> exit;  // of the only service, when it ended by itself
};

struct StatusOptions {
    unsigned last_lines = 10;
    bool usage = true;  // memory, CPU and tasks, a stale unit: costs a look at every process of the service, and at its files
};

// What show tells: every key, with its value and origin.
struct ShownService {
    std::string name;
    std::string service_file;
    std::vector<ResolvedKey> keys;
};

// One line of a log, or a piece of one: what is longer than 1 MiB comes in pieces, so that memory stays bounded.
struct LogLine {
    enum class Stream { output, error, events };  // error: with a stderr-file; events: what steward itself has to say of the service
    std::string_view service;
    Stream stream = Stream::output;
    std::optional<std::chrono::system_clock::time_point> time;  // of its stamp; unset: it has none
    std::string_view text;                                      // any bytes, without stamp and newline
    bool begins = true;                                         // false: goes on with the line before
    bool ends = true;                                           // false: the next one goes on with it
};

struct LogOptions {
    std::optional<unsigned> lines;  // only the last, of all services together; unset: all, and with follow 10
    bool follow = false;            // then goes on with what is written from now on, and returns when the sink has enough
    std::optional<std::chrono::system_clock::time_point> since, until;  // a line without a stamp counts as the one before it
    std::string pattern;                                                // RE2, anywhere in the text (in its first MiB); empty: every line
    int reader = -1;  // follow ends when nobody reads this pipe or socket any more; -1: only when the sink has enough
};

// Gets what logs() finds. Views are valid during the call.
class LogSink {
  public:
    virtual ~LogSink() = default;
    virtual bool line(const LogLine& line) = 0;  // false: enough
    virtual bool caught_up() = 0;                // nothing more for now; false: enough
    // Of one service (empty: of several) something cannot be shown; the rest goes on.
    virtual void fault(const std::string& service, const Error& error) = 0;
};

// One service that a verb acts on: by name, by service file, or ad hoc by its command.
struct Target {
    std::string name;
    std::string file;  // empty: looked up by name
    Argv command;      // not empty: ad hoc, no file
};

class Manager {
  public:
    explicit Manager(ManagerOptions options = {});
    ~Manager();
    Manager(Manager&&) noexcept;
    Manager& operator=(Manager&&) noexcept;

    // Turns operands into targets: a name stands for itself, a glob for every known service it matches (files and records), and
    // what has a '/' or ends in ".toml" for that file. A glob that matches nothing is unknown_service. An invalid name is
    // invalid_argument.
    Result<std::vector<Target>> resolve(const std::vector<std::string>& operands) const;
    Result<Target> ad_hoc(std::string name, Argv command) const;

    // Every service with a file or a record, by name.
    Result<std::vector<Target>> all() const;
    // Those of them with a file that are enabled.
    Result<std::vector<Target>> enabled() const;

    // Daemonizes and supervises (or, with supervise = false, only daemonizes). What a service requires or wants is started before it, side by
    // side where nothing orders them, each under a pair of its own; a service is not started if what it requires is not up. Each part is
    // told as it is up or has failed; on failure nothing of it is left running and Error::detail has its last lines.
    void start(const std::vector<Target>& targets, const StartOptions& options, const OnStarted& told);
    // The outcome of the service itself.
    Result<StartOutcome> start(const Target& target, const StartOptions& options = {});
    // Ends every process of the services, and before them of those that run and require them, in reverse order. Succeeds for what was not
    // running.
    void stop(const std::vector<Target>& targets, const OnStopped& told);
    Result<StopOutcome> stop(const Target& target);
    // Checks the new service file before it stops anything. What runs and requires the service is stopped before and started again after;
    // that, and what had to be started for it, is told to `others`.
    Result<StartOutcome> restart(const Target& target, const StartOptions& options = {}, const OnStarted& others = {});
    // Restarts only what runs: unset when it was stopped.
    Result<std::optional<StartOutcome>> try_restart(const Target& target, const StartOptions& options = {}, const OnStarted& others = {});
    // unsupported when the service file names no way; not_running when there is nothing to reload.
    Result<void> reload(const Target& target);
    // The log is put aside as if it were full, or made anew where somebody has renamed it. unsupported where the service writes no log or
    // writes it itself (supervise = false), not_running where nobody supervises it; but what is not running reopens its log by starting.
    Result<void> rotate_logs(const Target& target);
    Result<void> reopen_logs(const Target& target);
    // reload where there is a way to, else restart.
    Result<void> force_reload(const Target& target, const StartOptions& options = {}, const OnStarted& others = {});
    // The installed program takes the place of its keeper and supervisor; the service does not notice. False: there are none. unsupported:
    // it runs in the foreground.
    Result<bool> reexec(const Target& target);
    // Makes what runs equal to its service file, restarting it only where a changed key needs that, and an installed service's unit or script
    // too. A file that is not valid changes nothing.
    Result<Application> apply(const Target& target, const ApplyOptions& options, const OnStarted& others = {});
    // To the main process, after its identity was proven.
    Result<void> signal(const Target& target, int signal);
    // Supervises in the foreground until all the services have ended or SIGTERM, SIGINT or SIGQUIT came.
    Result<RunOutcome> run(const std::vector<Target>& targets, const RunOptions& options = {});

    // Changes nothing. A service that cannot be judged is a status (unknown), not an error; one that does not exist is
    // unknown_service.
    Result<ServiceStatus> status(const Target& target, const StatusOptions& options = {}) const;
    Result<ShownService> show(const Target& target) const;
    // The lines of the services' logs, rotated and compressed files included, and steward's own events about them, in the order of their
    // times. unsupported goes to LogSink::fault for a service whose output is in no file.
    Result<void> logs(const std::vector<Target>& targets, const LogOptions& options, LogSink& sink) const;
    // What the service file says of others, and they of it: unset for a service without a valid file.
    [[nodiscard]] std::optional<ServiceSpec::Dependencies> dependencies(const Target& target) const;
    // Validates without starting: file, program, user, directories, that there is what it depends on, and no cycle. ok, or
    // invalid_service_file with all faults, or program_missing; in the order of the targets.
    std::vector<Result<void>> check(const std::vector<Target>& targets) const;
    Result<void> check(const Target& target) const;
    // Units and scripts, and how each written key holds under the init systems asked for. Writes only where a destination is given. A
    // service file given by its path is the system's unless the options of this Manager say otherwise: packages are built by anybody.
    Result<Generated> generate(const Target& target, const GenerateOptions& options) const;
    // The maintainer scripts of one package that brings units or scripts of these services; they need nothing of steward. Written into
    // `destination` where one is given.
    Result<std::vector<PackageScript>> package_scripts(const std::vector<Target>& targets, PackageFormat format,
                                                       const std::string& destination) const;

    // The unit or script of a service, its file and what makes it start at boot: all of it is changed or nothing, and what was killed half way
    // is undone by the next of these three. An operand that is a path is copied to where the scope's service files are.
    Result<Installation> install(const Target& target, const InstallOptions& options);
    // Stops it first. Succeeds when it is not installed.
    Result<Installation> uninstall(const Target& target, const UninstallOptions& options);
    // Whether it starts at boot, no more. Where no init system knows it, that is what `run` goes by when it is to run all.
    Result<Installation> enable(const Target& target, const BootOptions& options);
    Result<Installation> disable(const Target& target, const BootOptions& options);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

// What a keeper executes to be replaced, and with which words, is between its version and this one. The exit code of the process.
int carry_on(const std::vector<std::string>& words);
inline constexpr std::string_view carry_on_word = "--carry-on";  // the first of them

// "TERM", "SIGTERM", "15" → 15; unset for anything that is no signal.
[[nodiscard]] std::optional<int> parse_signal(std::string_view text);
[[nodiscard]] std::string signal_name(int signal);  // "TERM"; "RTMIN+3"; the number where there is no name

}  // namespace steward
