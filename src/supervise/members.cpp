#include "supervise/members.hpp"

#include <algorithm>
#include <set>

namespace steward::supervise {

namespace {

void add(std::set<std::int32_t>& found, const std::vector<os::ProcessStat>& processes)
{
    for (const auto& process : processes) found.insert(process.pid);
}

// A cgroup alone answers from one small file; everything else needs a pass over /proc.
Result<std::vector<os::ProcessIdentity>> members_of_cgroup(const Membership& where)
{
    auto pids = where.cgroup->processes();
    if (!pids) return fail(pids.error());
    std::vector<os::ProcessIdentity> members;
    for (const std::int32_t pid : *pids) {
        auto stat = os::read_stat(pid);
        if (!stat) return fail(stat.error());
        if (!*stat || (*stat)->state == 'Z') continue;
        members.push_back({.pid = pid, .start_time = (*stat)->start_time});
    }
    return members;
}

}  // namespace

Result<std::vector<os::ProcessIdentity>> find_members(const Membership& where)
{
    if (where.cgroup != nullptr) return members_of_cgroup(where);
    auto all = os::all_processes();
    if (!all) return fail(all.error());
    std::set<std::int32_t> found;
    std::int32_t session = where.session;
    if (where.main != nullptr) {
        found.insert(where.main->pid());
        add(found, os::descendants(*all, where.main->pid()));
        session = where.main->pid();
    }
    if (session > 0) {
        for (const auto& process : *all) {
            if (process.session == session || process.group == session) found.insert(process.pid);
        }
    }
    if (where.tree_root > 0) add(found, os::descendants(*all, where.tree_root));

    std::vector<os::ProcessIdentity> members;
    for (const auto& process : *all) {
        const bool excluded = std::find(where.not_members.begin(), where.not_members.end(), process.pid) != where.not_members.end();
        if (excluded || process.state == 'Z' || !found.contains(process.pid)) continue;
        members.push_back({.pid = process.pid, .start_time = process.start_time});
    }
    return members;
}

}  // namespace steward::supervise
