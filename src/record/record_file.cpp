#include "record/record_file.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <thread>

#include "os/error.hpp"
#include "os/file.hpp"

namespace steward::record {

namespace {

constexpr std::size_t slots = 2;
constexpr std::uint64_t first_slot = 512;
constexpr std::size_t usual_size = 1024;  // a block without very long paths: one read
constexpr int attempts = 5;
constexpr auto pause = std::chrono::milliseconds(1);
constexpr const char* foreign_format = "it was written by another version of steward";
constexpr const char* damaged = "it is damaged";

std::uint64_t offset_of(std::size_t slot)
{
    return first_slot + slot * state_block_limit;
}

struct Slot {
    tl::expected<StateBlock, BlockFault> block = tl::unexpected<BlockFault>(BlockFault::empty);
    std::uint64_t sequence = 0;  // of a valid or foreign block
};
using Slots = std::array<Slot, slots>;

Result<Slot> read_slot(os::BorrowedFd file, std::size_t number)
{
    std::vector<std::byte> bytes(usual_size);
    auto got = os::read_at(file, bytes, offset_of(number));
    if (!got) return fail(got.error());
    bytes.resize(*got);
    if (const std::size_t size = state_block_size(bytes); size > usual_size) {
        bytes.resize(size);
        got = os::read_at(file, bytes, offset_of(number));
        if (!got) return fail(got.error());
        bytes.resize(*got);
    }
    Slot slot{.block = decode(bytes), .sequence = 0};
    if (slot.block || slot.block.error() == BlockFault::foreign) slot.sequence = state_block_sequence(bytes);
    return slot;
}

Result<Slots> read_slots(os::BorrowedFd file)
{
    Slots both;
    for (std::size_t number = 0; number < slots; ++number) {
        auto slot = read_slot(file, number);
        if (!slot) return fail(slot.error());
        both[number] = std::move(*slot);
    }
    return both;
}

Slot& latest(Slots& both)
{
    // Equal only where neither block counts: then a foreign one is worth telling of, and any fault more than an empty slot.
    if (both[0].sequence != both[1].sequence) return both[0].sequence > both[1].sequence ? both[0] : both[1];
    if (both[0].block) return both[0];
    return both[0].block.error() == BlockFault::empty ? both[1] : both[0];
}

Result<MainBlock> read_main_block(os::BorrowedFd file)
{
    MainBlock block;
    const auto got = os::read_at(file, std::as_writable_bytes(std::span(&block, 1)), MainBlock::offset);
    if (!got) return fail(got.error());
    return *got == sizeof block ? block : MainBlock{};
}

}  // namespace

Error unreadable_record(Error error)
{
    error.code = ErrorCode::undeterminable;
    return error;
}

Error RecordFile::error(Error error, const char* operation) const
{
    error.operation = operation;
    error.object = os::quoted(path_);
    return error;
}

Error RecordFile::undeterminable(const char* cause) const
{
    return {.code = ErrorCode::undeterminable, .operation = "read", .object = os::quoted(path_), .cause = cause, .next_step = {}};
}

Result<std::optional<StateBlock>> RecordFile::latest_block() const
{
    for (int attempt = 1;; ++attempt) {
        auto both = read_slots(file_);
        if (!both) return fail(unreadable_record(error(both.error(), "read")));
        auto& block = latest(*both).block;
        if (block) return std::optional(std::move(*block));
        if (block.error() == BlockFault::empty) return std::nullopt;
        if (block.error() == BlockFault::foreign) return fail(undeterminable(foreign_format));
        if (attempt == attempts) {
            // The very first writer was killed in the middle: there was no state before.
            if (std::ranges::any_of(*both, [](const Slot& slot) { return !slot.block && slot.block.error() == BlockFault::empty; })) {
                return std::nullopt;
            }
            return fail(undeterminable(damaged));
        }
        std::this_thread::sleep_for(pause);
    }
}

Result<std::optional<os::ProcessIdentity>> RecordFile::main_process(const std::optional<StateBlock>& state) const
{
    for (int attempt = 1;; ++attempt) {
        const auto block = read_main_block(file_);
        if (!block) return fail(unreadable_record(error(block.error(), "read")));
        if (*block == MainBlock{}) return std::nullopt;
        if (block->magic == MainBlock::format && block->check == block->checksum()) {
            // A state that was written before this process was born knows only its predecessor's inode.
            const bool fits = state && state->main_check == block->check;
            return os::ProcessIdentity{.pid = static_cast<std::int32_t>(block->pid),
                                       .start_time = block->start_time,
                                       .pidfs_inode = fits ? state->state.main_pidfs_inode : 0};
        }
        if (attempt == attempts) return fail(undeterminable(block->magic == MainBlock::format ? damaged : foreign_format));
        std::this_thread::sleep_for(pause);
    }
}

Result<Reading> RecordFile::read() const
{
    auto block = latest_block();
    if (!block) return fail(block.error());
    auto main = main_process(*block);
    if (!main) return fail(main.error());
    Reading reading{.state = {}, .main = *main};
    if (*block) reading.state = std::move((*block)->state);
    return reading;
}

Result<std::optional<State>> RecordFile::state() const
{
    auto block = latest_block();
    if (!block) return fail(block.error());
    if (!*block) return std::nullopt;
    return std::optional(std::move((*block)->state));
}

Result<std::optional<os::ProcessIdentity>> RecordFile::main_process() const
{
    const auto block = latest_block();
    return main_process(block ? *block : std::nullopt);
}

Result<void> RecordFile::write(const State& state) const
{
    auto both = read_slots(file_);
    if (!both) return fail(error(both.error(), "write"));
    const auto main = read_main_block(file_);
    if (!main) return fail(error(main.error(), "write"));

    const std::uint64_t last = std::max((*both)[0].sequence, (*both)[1].sequence);
    const std::size_t older = (*both)[0].sequence <= (*both)[1].sequence ? 0 : 1;
    const auto bytes = encode({.state = state, .sequence = last + 1, .main_check = main->check});
    if (!bytes) return fail(bytes.error());
    if (const auto written = os::write_at(file_, *bytes, offset_of(older)); !written) return fail(error(written.error(), "write"));
    return {};
}

Result<void> RecordFile::clear_main() const
{
    return write_block(MainBlock{});
}

Result<void> RecordFile::write_main(const os::ProcessIdentity& main) const
{
    return write_block(MainBlock::of(main.pid, main.start_time));
}

Result<void> RecordFile::write_block(const MainBlock& block) const
{
    const auto written = os::write_at(file_, std::as_bytes(std::span(&block, 1)), MainBlock::offset);
    if (!written) return fail(error(written.error(), "write"));
    return {};
}

}  // namespace steward::record
