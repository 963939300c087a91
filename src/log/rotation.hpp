// The rotated files of a log. NAME.log.1 is the newest, NAME.log.2 the one before; a compressed one has ".gz" or ".zst" behind its number.
//
// Every step is one rename or one removal: a rotation that is cut short leaves at worst a number that no file has, and the next one closes the
// gap. A compression ends by a rename too. So no step has to be undone, but for a plain file beside its compressed copy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "os/file.hpp"

namespace steward::log {

struct RotationRules {
    std::uint64_t max_size = 0;   // of the log; 0: rotated on request only
    unsigned keep = 0;            // rotated files
    std::uint64_t max_total = 0;  // of all together, the log at its full size included; 0: unbounded
};

struct RotatedFile {
    unsigned number = 0;
    std::string name;
    LogCompression compression = LogCompression::none;
    os::FileInfo info;
};

[[nodiscard]] std::string_view suffix_of(LogCompression compression);
[[nodiscard]] std::string rotated_name(const std::string& base, unsigned number, LogCompression compression);

// Newest first, up to the first number that no file has.
Result<std::vector<RotatedFile>> rotated_files(os::BorrowedFd directory, const std::string& base);
// The log `base`, of `size` bytes, becomes number 1, and the others make room or go. Afterwards there is no log.
Result<void> rotate_files(os::BorrowedFd directory, const std::string& base, std::uint64_t size, const RotationRules& rules);
// What a compression that was cut short has left is removed.
Result<void> tidy_rotated(os::BorrowedFd directory, const std::string& base);

// Where a file is compressed to before it gets its name.
[[nodiscard]] std::string packing_name(const std::string& base);

}  // namespace steward::log
