// The state as bytes: the block of the record that its one writer replaces.
//
// The record keeps two such blocks and writes them in turn: a writer killed in the middle of one leaves the other, whole, and so the state
// before it. A reader takes the valid one that was written last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <steward/result.hpp>

#include "record/record.hpp"

namespace steward::record {

struct StateBlock {
    State state;
    std::uint64_t sequence = 0;    // the higher of two was written later
    std::uint64_t main_check = 0;  // MainBlock::check of the process that state.main_pidfs_inode belongs to
};

enum class BlockFault {
    empty,    // never written
    partial,  // `bytes` ends before the block does; see state_block_size
    foreign,  // another format or version
    torn,     // the checksum does not fit
};

// With everything as long as it may be: four paths, and what is cut.
inline constexpr std::size_t state_block_limit = 24 * 1024;

// Cuts the reason; refuses a path of PATH_MAX bytes and more (invalid_argument).
Result<std::vector<std::byte>> encode(const StateBlock& block);
tl::expected<StateBlock, BlockFault> decode(std::span<const std::byte> bytes);

// As the block's head tells, of whatever version; 0 when `bytes` does not start with the head of a block.
std::size_t state_block_size(std::span<const std::byte> bytes);
std::uint64_t state_block_sequence(std::span<const std::byte> bytes);

}  // namespace steward::record
