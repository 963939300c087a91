#include "config/trust.hpp"

#include "os/trust.hpp"

namespace steward::config {

std::optional<std::string> distrust(const os::FileInfo& file, std::uint32_t caller)
{
    constexpr unsigned others_may_write = 022;
    if (file.uid != 0 && file.uid != caller) return "belongs to another user (uid " + std::to_string(file.uid) + ")";
    if ((file.mode & others_may_write) != 0) return "can be written by other users";
    return std::nullopt;
}

Result<std::optional<std::string>> distrust_place(const std::string& path, std::uint32_t caller)
{
    const auto directory = os::open_following(os::parent_of(os::absolute(path)), {.directory = true, .path_only = true});
    if (!directory) return fail(directory.error());
    return os::distrust(*directory, {.owner = caller, .groups = {}});
}

}  // namespace steward::config
