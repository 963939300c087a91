#include "manager/leftovers.hpp"

#include "supervise/stop_sequence.hpp"

namespace steward::manager {

std::optional<os::Cgroup> recorded_cgroup(const Judgement& judgement)
{
    if (!judgement.state || !judgement.same_boot || judgement.state->cgroup.empty()) return std::nullopt;
    return os::Cgroup::open(judgement.state->cgroup);
}

Result<bool> end_leftovers(const Located& located, const Judgement& judgement, Manners manners)
{
    const auto cgroup = recorded_cgroup(judgement);
    if (!cgroup) return false;
    const auto spec = load_started(located);
    const auto report = supervise::stop_members(
        {.rules = spec ? spec->stop : ServiceSpec::Stop{}, .cgroup = &*cgroup, .kill_at_once = manners == Manners::kill}, nullptr,
        {.cgroup = &*cgroup});
    if (!report) return fail(report.error());
    if (!report->service_is_over()) return fail(supervise::stop_error(located.name, *report));
    static_cast<void>(cgroup->remove());
    return report->killed;
}

}  // namespace steward::manager
