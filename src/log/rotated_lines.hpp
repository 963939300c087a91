// The end of a log that was rotated a moment ago: what its newest rotated file ends with.
#pragma once

#include <string>
#include <vector>

namespace steward::log {

// The last `count` lines of the newest rotated file of the log `path`, plain or compressed; none where there is no such file, or it cannot be
// read: whoever wants them has the log itself already.
[[nodiscard]] std::vector<std::string> last_rotated_lines(const std::string& path, std::size_t count);

}  // namespace steward::log
