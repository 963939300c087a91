// Who could put something else in a file's place: the question behind most of the holes that daemon tools have had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

struct TrustRule {
    std::uint32_t owner = 0;            // beside root
    std::vector<std::uint32_t> groups;  // may write; the caller vouches for them
};

// Why what stands in `directory` cannot be trusted, as a clause ("its directory '/srv/x' belongs to user 1000"); unset when it can.
// `directory` must belong to root or the owner and be writable by nobody else. So must every directory above it, but that a sticky one
// (/tmp) may be writable by all when what it holds on the way down belongs to root or the owner: nobody else can rename that.
// Looks at the real directories, by "..", and not at the path that led there. O_PATH suffices.
Result<std::optional<std::string>> distrust(BorrowedFd directory, const TrustRule& rule);

}  // namespace steward::os
