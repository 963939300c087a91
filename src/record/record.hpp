// The record: what steward knows of a started service, on disk, readable by anybody at any moment, whole after any crash.
//
// A directory a service, <runtime>/NAME/ (0755), holds
//   record        the main process's identity, which the child itself writes before exec, and the state, which its one writer (the
//                 lease's holder) replaces: in two blocks by turns, so that a writer killed in the middle leaves the state before.
//                 All carry a checksum: a torn read is noticed and read again.
//   service.toml  the resolved service file as started, 0600: its environment may hold secrets
//   verb.lock     held for the short time in which a verb changes things
//   lease         byte 0: held as long as keeper or supervisor lives; byte 1: held by a launch from before fork until exec
//   control       the supervisor's socket
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "os/fd.hpp"
#include "os/main_block.hpp"
#include "os/process.hpp"

namespace steward::record {

// A place in a log.
struct LogPlace {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t offset = 0;
    friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

// The state block. A reason of more than 1 KiB is cut at its end; a path of PATH_MAX bytes and more is refused by write_state().
struct State {
    ServiceState state = ServiceState::stopped;
    std::chrono::system_clock::time_point since;
    os::ProcessIdentity keeper;
    os::ProcessIdentity supervisor;
    // Completes the child's own identity block: of the process that stands there when the state is written, 0 while it is not known.
    std::uint64_t main_pidfs_inode = 0;
    os::BootIdentity boot;
    std::uint64_t restarts = 0;
    std::optional<std::chrono::system_clock::time_point> next_start;
    std::optional<ExitStatus> last_exit;
    std::int32_t last_exit_pid = 0;
    bool supervise = true;
    bool stop_requested = false;                                       // a stop is under way: whoever takes over goes on with it
    std::optional<std::chrono::system_clock::time_point> ready_since;  // of the run that is recorded
    // With type = forking: the process that was launched, as long as the one that stays is not known to be another.
    std::int32_t launched_pid = 0;
    // Why steward itself is ending this run, which nobody asked it to stop: whoever takes over goes on with it.
    enum class Fault : std::uint8_t { none, not_ready, unhealthy, stuck, hook };
    Fault fault = Fault::none;
    os::ProcessIdentity hook;  // the command of a hook that runs; else none
    // What the service has said of itself by sd_notify(3) in this run.
    bool said_ready = false;
    bool said_stopping = false;
    int said_errno = 0;
    std::string status_text;
    std::optional<std::chrono::system_clock::time_point> extended_until;  // the time-out of what it is doing
    std::int64_t watchdog_interval = 0;                                   // in µs; 0: that of [health]
    enum class Health : std::uint8_t { unknown, good, failing };
    Health health = Health::unknown;
    unsigned health_failures = 0;  // in a row
    // Where what the last launch has written begins.
    LogPlace launch_out;
    LogPlace launch_err;               // with [log] stderr-file
    std::uint64_t attempts = 0;        // restarts since it last ran for [restart] window
    std::int64_t last_run = 0;         // in µs, how long the run was that has ended; 0: its launch came to nothing
    std::uint64_t memory_kills = 0;    // by the kernel, in runs that are over
    std::uint32_t pid_file_owner = 0;  // who beside root may have written the PID file
    std::string cgroup;                // path, empty: none
    std::string pid_file;
    std::string log_file;
    std::string service_file;       // empty: ad hoc
    std::string reason;             // why failed
    std::uint64_t file_digest = 0;  // of the FileStamps at start
    std::string description;        // cut after 512 bytes
    Argv command;                   // as executed: as many of its first words as fit in 2 KiB
};

using os::MainBlock;  // the child writes it

// Both blocks of a record, read together. Unset: never written.
struct Reading {
    std::optional<State> state;
    std::optional<os::ProcessIdentity> main;
};

// The directory of one service. Opening does not create; creating makes the directory (parents too). Its files come with their first use.
// A link, and a directory that another user owns or can write, is refused: what stands there steers signals.
class ServiceDirectory {
  public:
    // Unset when there is none.
    static Result<std::optional<ServiceDirectory>> open(const std::string& runtime_directory, const std::string& name);
    static Result<ServiceDirectory> create(const std::string& runtime_directory, const std::string& name);

    [[nodiscard]] os::BorrowedFd directory() const { return directory_; }
    [[nodiscard]] const std::string& path() const { return path_; }

    // The lock of verbs that change things; released when the descriptor closes. timed_out says who holds it if known.
    Result<os::UniqueFd> lock_verb(std::optional<std::chrono::milliseconds> timeout) const;
    // The lease, taken; unset when a keeper or supervisor holds it.
    Result<std::optional<os::UniqueFd>> take_lease() const;
    Result<bool> lease_held() const;
    // The launch lock on byte 1: waits until a launch under way has reached exec or died.
    Result<os::UniqueFd> lock_launch() const;
    [[nodiscard]] bool launch_under_way() const;  // somebody holds the launch lock

    // Unset when nothing was ever written. An unreadable or foreign format is undeterminable.
    Result<std::optional<State>> read_state() const;
    Result<std::optional<os::ProcessIdentity>> read_main() const;  // with the pidfs inode from the state block
    Result<Reading> read() const;                                  // both, for less than the two cost apart
    Result<void> write_state(const State& state) const;
    Result<void> clear_main() const;
    // The main process is another than the one that was launched.
    Result<void> write_main(const os::ProcessIdentity& main) const;
    // For the child: the open record, close-on-exec, to write its MainBlock into.
    Result<os::UniqueFd> record_for_child() const;

    Result<void> write_service_file(const std::string& resolved) const;
    Result<std::optional<std::string>> read_service_file() const;

    // Removes what a service leaves behind that never started (record, control, …), keeping the locks.
    Result<void> forget() const;

  private:
    ServiceDirectory(os::UniqueFd directory, std::string path);
    os::UniqueFd directory_;
    std::string path_;
};

// Names that have a record below `runtime_directory`.
Result<std::vector<std::string>> recorded_names(const std::string& runtime_directory);

}  // namespace steward::record
