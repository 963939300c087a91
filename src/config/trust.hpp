// Whether root may believe a file: what another user can write, another user can make root run (CVE-2017-14312).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "os/file.hpp"

namespace steward::config {

// Why not, as the end of the sentence "'file' …"; unset: it may be believed. Asked only when steward runs as root.
[[nodiscard]] std::optional<std::string> distrust(const os::FileInfo& file, std::uint32_t caller);

// The same of where the file stands, and of all above it: who can write there can put another file in its place.
[[nodiscard]] Result<std::optional<std::string>> distrust_place(const std::string& path, std::uint32_t caller);

}  // namespace steward::config
