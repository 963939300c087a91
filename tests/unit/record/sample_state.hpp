// A state in which no member has its default: what is lost on the way is noticed.
#pragma once

#include "record/record.hpp"

namespace steward::record {

inline State sample_state()
{
    using Clock = std::chrono::system_clock;
    State state;
    state.state = ServiceState::backing_off;
    state.since = Clock::time_point(std::chrono::seconds(1767323045));
    state.keeper = {.pid = 11, .start_time = 12, .pidfs_inode = 13};
    state.hook = {.pid = 17, .start_time = 18, .pidfs_inode = 19};
    state.supervisor = {.pid = 21, .start_time = 22, .pidfs_inode = 23};
    state.main_pidfs_inode = 33;
    state.boot = {.boot_id = "0bd6bd8a-5c4e-4a3c-a8a4-2f6a7f0c9a11", .pid_namespace = 4026531836};
    state.restarts = 7;
    state.next_start = Clock::time_point(std::chrono::seconds(1767323046));
    state.last_exit = ExitStatus{
        .signalled = true, .code = 9, .known = false, .core_dumped = true, .at = Clock::time_point(std::chrono::seconds(1767323044))};
    state.last_exit_pid = 4120;
    state.supervise = false;
    state.stop_requested = true;
    state.ready_since = Clock::time_point(std::chrono::seconds(1767323043));
    state.launched_pid = 4119;
    state.fault = State::Fault::not_ready;
    state.said_ready = true;
    state.said_stopping = true;
    state.said_errno = 98;
    state.status_text = "waiting for its database";
    state.extended_until = Clock::time_point(std::chrono::seconds(1767323047));
    state.watchdog_interval = 2'000'000;
    state.health = State::Health::failing;
    state.health_failures = 2;
    state.launch_out = {.device = 41, .inode = 42, .offset = 43};
    state.launch_err = {.device = 44, .inode = 45, .offset = 46};
    state.attempts = 3;
    state.last_run = 61'000'000;
    state.memory_kills = 5;
    state.pid_file_owner = 112;
    state.cgroup = "/sys/fs/cgroup/steward/web";
    state.pid_file = "/run/steward/web.pid";
    state.log_file = "/var/log/steward/web.log";
    state.service_file = "/etc/steward/web.toml";
    state.reason = "exit code 3";
    state.file_digest = 0xfeedfacecafebeef;
    return state;
}

inline bool same(const os::ProcessIdentity& one, const os::ProcessIdentity& other)
{
    return one.pid == other.pid && one.start_time == other.start_time && one.pidfs_inode == other.pidfs_inode;
}

inline bool same(const std::optional<ExitStatus>& one, const std::optional<ExitStatus>& other)
{
    if (!one || !other) return one.has_value() == other.has_value();
    return one->signalled == other->signalled && one->code == other->code && one->known == other->known &&
           one->core_dumped == other->core_dumped && one->at == other->at;
}

inline bool operator==(const State& one, const State& other)
{
    return one.state == other.state && one.since == other.since && same(one.keeper, other.keeper) && same(one.hook, other.hook) &&
           same(one.supervisor, other.supervisor) && one.main_pidfs_inode == other.main_pidfs_inode && one.boot == other.boot &&
           one.restarts == other.restarts && one.next_start == other.next_start && same(one.last_exit, other.last_exit) &&
           one.last_exit_pid == other.last_exit_pid && one.supervise == other.supervise && one.stop_requested == other.stop_requested &&
           one.ready_since == other.ready_since && one.launched_pid == other.launched_pid && one.fault == other.fault &&
           one.said_ready == other.said_ready && one.said_stopping == other.said_stopping && one.said_errno == other.said_errno &&
           one.status_text == other.status_text && one.extended_until == other.extended_until &&
           one.watchdog_interval == other.watchdog_interval && one.health == other.health && one.health_failures == other.health_failures &&
           one.launch_out == other.launch_out && one.launch_err == other.launch_err && one.attempts == other.attempts &&
           one.last_run == other.last_run && one.memory_kills == other.memory_kills && one.pid_file_owner == other.pid_file_owner &&
           one.cgroup == other.cgroup && one.pid_file == other.pid_file && one.log_file == other.log_file &&
           one.service_file == other.service_file && one.reason == other.reason && one.file_digest == other.file_digest;
}

}  // namespace steward::record
