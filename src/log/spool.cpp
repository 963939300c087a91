#include "log/spool.hpp"

#include <algorithm>
#include <array>

#include "os/file.hpp"
#include "os/pipe.hpp"

namespace steward::log {

namespace {

constexpr std::uint64_t magic = 0x334c4f4f50535453;  // "STSPOOL3"
constexpr std::uint64_t head_size = 4096;
constexpr std::uint64_t slot_distance = 512;

// The mark on disk, twice, written by turns: one that was cut short leaves the one before. The higher sequence is the later one.
struct Slot {
    std::uint64_t magic = 0;
    std::uint64_t sequence = 0;
    SpoolMark mark;
    std::uint64_t check = 0;

    [[nodiscard]] std::uint64_t checksum() const
    {
        std::uint64_t hash = 0xcbf29ce484222325;
        for (const std::uint64_t word : {magic, sequence, mark.consumed, mark.log_device, mark.log_inode, mark.log_size, mark.in_line,
                                         mark.lost_lines, mark.lost_bytes, mark.inside_lost, mark.gate.window_began, mark.gate.passed,
                                         mark.gate.dropped_lines, mark.gate.dropped_bytes, mark.gate.inside_dropped}) {
            hash = (hash ^ word) * 0x100000001b3;
        }
        return hash;
    }
};

}  // namespace

Result<Spool> Spool::open(os::UniqueFd file)
{
    Spool spool(std::move(file));
    if (auto loaded = spool.load(); !loaded) return fail(loaded.error());
    return spool;
}

Result<void> Spool::load()
{
    const auto found = os::info(file_);
    if (!found) return fail(found.error());
    if (found->size < head_size) {
        // The place of the marks is had now: a file system that is full later has room for them.
        auto sized = os::set_file_size(file_, head_size);
        return sized ? set_mark({}) : sized;
    }
    size_ = found->size - head_size;
    bool is_foreign = false;
    for (std::uint64_t i = 0; i < 2; ++i) {
        Slot slot;
        const auto got = os::read_at(file_, std::as_writable_bytes(std::span(&slot, 1)), i * slot_distance);
        if (!got) return fail(got.error());
        is_foreign = is_foreign || (slot.magic != 0 && slot.magic != magic);
        const bool whole = *got == sizeof slot && slot.magic == magic && slot.check == slot.checksum();
        if (!whole || slot.sequence < sequence_) continue;
        sequence_ = slot.sequence;
        mark_ = slot.mark;
    }
    // Of another version of steward, which has brought all of it on before it ended.
    if (sequence_ == 0 && is_foreign) return set_mark({.consumed = size_});
    if (mark_.consumed <= size_) return {};
    // It was shrunk, and that was not marked yet.
    SpoolMark shrunk = mark_;
    shrunk.consumed = 0;
    return set_mark(shrunk);
}

Result<std::size_t> Spool::take(os::BorrowedFd fifo, std::size_t limit)
{
    if (auto marked = mark_first(); !marked) return fail(marked.error());
    auto moved = os::splice_to_file(fifo, file_, head_size + size_, limit);
    if (moved) size_ += *moved;
    return moved;
}

Result<std::size_t> Spool::read(std::span<std::byte> into) const
{
    if (pending() == 0) return std::size_t{0};
    return os::read_at(file_, into.first(std::min<std::uint64_t>(into.size(), pending())), head_size + mark_.consumed);
}

Result<void> Spool::set_mark(const SpoolMark& mark)
{
    Slot slot{.magic = magic, .sequence = sequence_ + 1, .mark = mark, .check = 0};
    slot.check = slot.checksum();
    const auto bytes = std::as_bytes(std::span(&slot, 1));
    if (auto written = os::write_at(file_, bytes, (slot.sequence % 2) * slot_distance); !written) return written;
    sequence_ = slot.sequence;
    mark_ = mark;
    is_marked_ = true;
    return {};
}

Result<void> Spool::mark_first()
{
    return is_marked_ ? Result<void>() : set_mark(mark_);
}

// What is pending goes over bytes that count no more; cutting the file makes it count, for then the mark is beyond the end.
Result<void> Spool::shrink()
{
    const std::uint64_t kept = pending();
    if (mark_.consumed <= kept) return {};
    std::array<std::byte, 4096> buffer;
    for (std::uint64_t moved = 0; moved < kept;) {
        const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), kept - moved));
        const auto got = os::read_at(file_, part, head_size + mark_.consumed + moved);
        if (!got) return fail(got.error());
        if (*got == 0) return {};  // cut by somebody else
        if (auto written = os::write_at(file_, part.first(*got), head_size + moved); !written) return written;
        moved += *got;
    }
    if (auto cut = os::set_file_size(file_, head_size + kept); !cut) return cut;
    size_ = kept;
    mark_.consumed = 0;
    is_marked_ = false;
    return mark_first();
}

Result<void> Spool::append(std::span<const std::byte> bytes)
{
    if (auto marked = mark_first(); !marked) return marked;
    if (auto written = os::write_at(file_, bytes, head_size + size_); !written) {
        static_cast<void>(os::set_file_size(file_, head_size + size_));  // a part of it would count as taken
        return written;
    }
    size_ += bytes.size();
    return {};
}

}  // namespace steward::log
