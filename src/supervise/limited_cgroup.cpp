#include "supervise/limited_cgroup.hpp"

#include "os/process.hpp"

namespace steward::supervise {

namespace {

tl::unexpected<Error> not_held(const ServiceSpec& spec, Error error)
{
    error.cause = "[resources] " + error.object + ": " + error.cause;
    error.operation = "start";
    error.object = spec.name;
    return fail(std::move(error));
}

}  // namespace

os::CgroupLimits limits_of(const ServiceSpec::Resources& resources)
{
    return {.memory = resources.memory, .cpu = resources.cpu, .tasks = resources.tasks};
}

Result<void> check_limits(const ServiceSpec& spec)
{
    auto possible = os::Cgroup::can_limit(limits_of(spec.resources));
    if (!possible) return not_held(spec, std::move(possible.error()));
    return {};
}

Error no_cgroup(const ServiceSpec& spec)
{
    return Error{.code = ErrorCode::failed,
                 .operation = "start",
                 .object = spec.name,
                 .cause = "memory, cpu and tasks of [resources] need a cgroup, and steward may make none here",
                 .next_step = os::effective_uid() == 0 ? "" : "start it as root"};
}

Result<std::optional<os::Cgroup>> limited_cgroup(const std::string& name, const ServiceSpec& spec, std::span<const std::int32_t> own)
{
    auto cgroup = os::Cgroup::create(name);
    const os::CgroupLimits limits = limits_of(spec.resources);
    if (!limits.any()) return cgroup;
    if (!cgroup) return fail(no_cgroup(spec));
    if (auto limited = cgroup->limit(limits, own); !limited) {
        static_cast<void>(cgroup->remove());
        return not_held(spec, std::move(limited.error()));
    }
    return cgroup;
}

}  // namespace steward::supervise
