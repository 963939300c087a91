#include "os/descriptor_limit.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace steward::os {

namespace {

std::optional<DescriptorLimit> inherited;

}  // namespace

std::uint64_t allow_descriptors(std::uint64_t wanted)
{
    rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return limit.rlim_cur;
    const rlimit before = limit;
    const rlimit raised = {.rlim_cur = wanted, .rlim_max = std::max<rlim_t>(limit.rlim_max, wanted)};
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        limit = raised;
    } else if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return before.rlim_cur;
    }
    if (!inherited) inherited = DescriptorLimit{.soft = before.rlim_cur, .hard = before.rlim_max};
    return limit.rlim_cur;
}

std::optional<DescriptorLimit> inherited_descriptor_limit()
{
    return inherited;
}

}  // namespace steward::os
