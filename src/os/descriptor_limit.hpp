// How many descriptors this process may have. Raised for a supervisor of many services, it is not what their programs are to inherit.
#pragma once

#include <cstdint>
#include <optional>

namespace steward::os {

struct DescriptorLimit {
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

// Raises the soft limit to `wanted` where it is lower, and the hard one with it where that is allowed. Returns the soft limit as it is then.
std::uint64_t allow_descriptors(std::uint64_t wanted);

// What the limit was before it was raised; unset: it was not.
std::optional<DescriptorLimit> inherited_descriptor_limit();

}  // namespace steward::os
