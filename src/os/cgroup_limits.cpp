#include "os/cgroup_limits.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "os/cgroup_tree.hpp"
#include "os/error.hpp"
#include "os/proc_file.hpp"

namespace steward::os {
namespace cgroup_limits {
namespace {

constexpr std::uint64_t cpu_period = 100'000;  // in microseconds, the kernel's own choice

// What follows `key` at the beginning of a line.
std::optional<std::uint64_t> number_in(BorrowedFd group, const char* file, std::string_view key = "")
{
    std::array<char, 4096> buffer;
    std::string_view text;
    if (read_kernel_file(group.get(), file, buffer, &text) != 0) return std::nullopt;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (!line.starts_with(key)) continue;
        line.remove_prefix(key.size());
        std::uint64_t value = 0;
        if (std::from_chars(line.data(), line.data() + line.size(), value).ec == std::errc{}) return value;
    }
    return std::nullopt;
}

}  // namespace

std::vector<Setting> settings(const CgroupLimits& limits)
{
    std::vector<Setting> found;
    if (limits.memory) found.push_back({"memory", "memory.max", std::to_string(*limits.memory), "memory"});
    if (limits.cpu) {
        const std::string quota = std::to_string(*limits.cpu * cpu_period / 100) + " " + std::to_string(cpu_period);
        found.push_back({"cpu", "cpu.max", quota, "cpu"});
    }
    if (limits.tasks) found.push_back({"pids", "pids.max", std::to_string(*limits.tasks), "tasks"});
    return found;
}

int hand_down(const Above& above, const Setting& setting)
{
    const std::string words = "+" + std::string(setting.controller);
    for (const BorrowedFd group : {above.place, above.parent}) {
        if (const int error = cgroup_tree::write_file(group, "cgroup.subtree_control", words); error != 0) return error;
    }
    return 0;
}

int set(BorrowedFd group, const Setting& setting)
{
    return cgroup_tree::write_file(group, setting.file, setting.value);
}

CgroupUsage usage(BorrowedFd group)
{
    CgroupUsage used{.memory = number_in(group, "memory.current"),
                     .memory_peak = number_in(group, "memory.peak"),
                     .memory_limit = number_in(group, "memory.max"),
                     .memory_kills = number_in(group, "memory.events", "oom_kill ").value_or(0),
                     .tasks_limit = number_in(group, "pids.max")};
    if (const auto cpu = number_in(group, "cpu.stat", "usage_usec ")) used.cpu = std::chrono::microseconds(*cpu);
    return used;
}

bool has_controller(BorrowedFd group, std::string_view controller)
{
    std::array<char, 4096> buffer;
    std::string_view text;
    if (read_kernel_file(group.get(), "cgroup.controllers", buffer, &text) != 0) return false;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find_first_of(" \n"));
        if (word == controller) return true;
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    return false;
}

}  // namespace cgroup_limits

namespace {

std::string directory_above(const std::string& path)
{
    return path.substr(0, path.rfind('/'));
}

// Where the kernel allows no process beside controllers (everywhere but in the real root) own processes leave; EBUSY when others are left.
// Asked first, because the kernel hands cpu and pids down all the same, and the groups below are then good for nothing. 0 or an errno.
int make_room(const std::string& place, BorrowedFd group, std::span<const std::int32_t> own)
{
    std::vector<std::int32_t> members;
    if (::faccessat(group.get(), "cgroup.type", F_OK, 0) != 0) return 0;
    if (const int error = cgroup_tree::list_direct(group, members); error != 0 || members.empty()) return error;
    const std::string leaf = place + cgroup_tree::own_leaf;
    ::mkdir(directory_above(leaf).c_str(), 0755);
    ::mkdir(leaf.c_str(), 0755);
    const UniqueFd room = cgroup_tree::open_group(leaf);
    if (!room) return errno;
    for (const std::int32_t pid : own) {
        if (std::ranges::find(members, pid) != members.end()) cgroup_tree::write_file(room, "cgroup.procs", std::to_string(pid));
    }
    members.clear();
    const int error = cgroup_tree::list_direct(group, members);
    return error == 0 && !members.empty() ? EBUSY : error;
}

std::string cause_text(int error, const cgroup_limits::Setting& setting, const std::string& place)
{
    if (error == EBUSY) return "other processes are in the cgroup " + quoted(place) + " beside steward";
    if (error == ENOENT || error == ENODEV || error == EINVAL) {
        return "the cgroup " + quoted(place) + " has no " + std::string(setting.controller) + " controller";
    }
    return errno_text(error);
}

Error limit_error(const cgroup_limits::Setting& setting, const std::string& cause, int error = 0)
{
    const bool refused = error == EACCES || error == EPERM;
    return Error{.code = refused ? ErrorCode::not_permitted : ErrorCode::failed,
                 .operation = "limit",
                 .object = setting.key,
                 .cause = cause,
                 .next_step = {},
                 .os_errno = error};
}

}  // namespace

Result<void> Cgroup::limit(const CgroupLimits& limits, std::span<const std::int32_t> own) const
{
    const std::string above = directory_above(path_);  // ".../steward"
    const std::string place = directory_above(above);
    const UniqueFd place_group = cgroup_tree::open_group(place);
    const UniqueFd parent = cgroup_tree::open_group(above);
    for (const auto& setting : cgroup_limits::settings(limits)) {
        int error = place_group && parent ? make_room(place, place_group, own) : ENOENT;
        if (error == 0) error = cgroup_limits::hand_down({.place = place_group, .parent = parent}, setting);
        if (error == 0) error = cgroup_limits::set(directory_, setting);
        if (error != 0) return fail(limit_error(setting, cause_text(error, setting, place), error));
    }
    return {};
}

void Cgroup::step_aside()
{
    const auto place = cgroup_tree::place_for_groups();
    const std::array own{static_cast<std::int32_t>(::getpid())};
    const UniqueFd group = place ? cgroup_tree::open_group(*place) : UniqueFd();
    if (group) make_room(*place, group, own);
}

CgroupUsage Cgroup::usage() const
{
    return cgroup_limits::usage(directory_);
}

Result<void> Cgroup::can_limit(const CgroupLimits& limits)
{
    if (!limits.any()) return {};
    const auto hierarchy = cgroup_tree::hierarchy();
    const UniqueFd group = hierarchy ? cgroup_tree::open_group(*hierarchy) : UniqueFd();
    for (const auto& setting : cgroup_limits::settings(limits)) {
        if (!group) return fail(limit_error(setting, "there are no cgroups (version 2) here that could be written"));
        if (cgroup_limits::has_controller(group, setting.controller)) continue;
        return fail(limit_error(setting, cause_text(ENOENT, setting, *hierarchy)));
    }
    return {};
}

}  // namespace steward::os
