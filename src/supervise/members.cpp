#include "supervise/members.hpp"

#include <algorithm>
#include <set>

namespace steward::supervise {

namespace {

using Processes = std::vector<os::ProcessStat>;
using Pids = std::set<std::int32_t>;

bool lives(const os::ProcessStat& process)
{
    const bool ended = process.state == 'Z' || process.state == 'X';
    return !ended || process.tasks > 1;
}

bool is_stranger(const Membership& where, const os::ProcessStat& process)
{
    return std::ranges::any_of(where.strangers, [&](const os::ProcessIdentity& stranger) {
        return stranger.pid == process.pid && stranger.start_time == process.start_time;
    });
}

void add(Pids& found, const Processes& processes)
{
    for (const auto& process : processes) found.insert(process.pid);
}

void add_main(Pids& found, const Processes& all, const os::ProcessIdentity& main)
{
    const auto holder = std::ranges::find(all, main.pid, &os::ProcessStat::pid);
    // Another process has the number: then nobody of the session is left.
    if (holder != all.end() && main.start_time != 0 && holder->start_time != main.start_time) return;
    for (const auto& process : all) {
        if (process.pid == main.pid || process.session == main.pid || process.group == main.pid) found.insert(process.pid);
    }
    add(found, os::descendants(all, main.pid));
}

void add_tree(Pids& found, Processes all, const Membership& where)
{
    std::erase_if(all, [&](const os::ProcessStat& process) { return is_stranger(where, process); });
    add(found, os::descendants(all, where.tree_root));
}

std::vector<os::ProcessIdentity> living(const Processes& all, const Pids& wanted)
{
    std::vector<os::ProcessIdentity> members;
    for (const auto& process : all) {
        if (lives(process) && wanted.contains(process.pid)) members.push_back({.pid = process.pid, .start_time = process.start_time});
    }
    return members;
}

// One small file tells; everything else needs a pass over /proc.
Result<std::vector<os::ProcessIdentity>> members_of_cgroup(const os::Cgroup& cgroup)
{
    auto pids = cgroup.processes();
    if (!pids) return fail(pids.error());
    std::vector<os::ProcessIdentity> members;
    for (const std::int32_t pid : *pids) {
        auto stat = os::read_stat(pid);
        if (!stat) return fail(stat.error());
        if (*stat && lives(**stat)) members.push_back({.pid = pid, .start_time = (*stat)->start_time});
    }
    return members;
}

}  // namespace

Result<std::vector<os::ProcessIdentity>> find_members(const Membership& where)
{
    if (where.cgroup != nullptr) return members_of_cgroup(*where.cgroup);
    auto all = os::all_processes();
    if (!all) return fail(all.error());
    Pids found;
    if (where.main != nullptr) add_main(found, *all, where.main->identity());
    if (where.tree_root > 0) add_tree(found, *all, where);

    for (const std::int32_t excluded : where.not_members) found.erase(excluded);
    return living(*all, found);
}

Result<std::vector<os::ProcessIdentity>> find_session(const os::ProcessIdentity& leader)
{
    auto all = os::all_processes();
    if (!all) return fail(all.error());
    Pids found;
    add_main(found, *all, leader);
    return living(*all, found);
}

std::vector<os::ProcessIdentity> processes_below(std::int32_t root)
{
    std::vector<os::ProcessIdentity> found;
    for (const std::int32_t pid : os::process_tree(root)) {
        const auto stat = os::read_stat(pid);
        if (pid != root && stat && *stat) found.push_back({.pid = pid, .start_time = (*stat)->start_time});
    }
    return found;
}

bool is_member(const Membership& where, std::int32_t pid)
{
    if (pid <= 1 || std::ranges::find(where.not_members, pid) != where.not_members.end()) return false;
    if (where.cgroup != nullptr) {
        const auto members = where.cgroup->processes();
        return members && std::ranges::find(*members, pid) != members->end();
    }
    constexpr int deepest = 1000;
    for (int depth = 0; pid > 1 && depth < deepest; ++depth) {
        const auto process = os::read_stat(pid);
        if (!process || !*process || is_stranger(where, **process)) return false;
        const auto* main = where.main != nullptr ? &where.main->identity() : nullptr;
        const bool younger = main != nullptr && (*process)->start_time >= main->start_time;
        if (younger && (pid == main->pid || (*process)->session == main->pid || (*process)->group == main->pid)) return true;
        if (where.tree_root > 0 && pid != where.tree_root && (*process)->parent == where.tree_root) return true;
        pid = (*process)->parent;
        // The supervisor is below the keeper and no member, but what has fallen to it is.
        if (where.tree_root > 0 && std::ranges::find(where.not_members, pid) != where.not_members.end()) return true;
    }
    return false;
}

}  // namespace steward::supervise
