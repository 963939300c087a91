// What a child writes about itself between fork and exec, and where in the record. Here, on the lowest floor, because src/process writes
// it and src/record reads it.
#pragma once

#include <cstdint>

namespace steward::os {

// Plain data, written by one call of write_bytes_at(record, &block, sizeof block, MainBlock::offset). All zeros: nothing was written.
struct MainBlock {
    static constexpr std::uint64_t format = 0x31304e4d44525453;  // "STRDMN01"
    static constexpr std::int64_t offset = 0;

    std::uint64_t magic = 0;
    std::int64_t pid = 0;
    std::uint64_t start_time = 0;
    std::uint64_t check = 0;

    // Async-signal-safe.
    static constexpr MainBlock of(std::int32_t pid, std::uint64_t start_time) noexcept
    {
        MainBlock block{.magic = format, .pid = pid, .start_time = start_time, .check = 0};
        block.check = block.checksum();
        return block;
    }
    // FNV-1a by words: it guards against a torn read, not against an attacker.
    [[nodiscard]] constexpr std::uint64_t checksum() const noexcept
    {
        std::uint64_t hash = 0xcbf29ce484222325;
        for (const std::uint64_t word : {magic, static_cast<std::uint64_t>(pid), start_time}) hash = (hash ^ word) * 0x100000001b3;
        return hash;
    }

    friend constexpr bool operator==(const MainBlock&, const MainBlock&) = default;
};

}  // namespace steward::os
