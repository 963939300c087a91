#include "supervise/log_packer.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <ranges>

#include "log/compress.hpp"
#include "os/child_calls.hpp"
#include "os/error.hpp"
#include "os/process.hpp"
#include "os/spawn.hpp"

namespace steward::supervise {

namespace {

constexpr int lowest_priority = 19;

// One child at a time, however many logs this process writes. Those that wait for their turn.
LogPacker* busy = nullptr;        // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::vector<LogPacker*> waiting;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

struct Work {
    os::BorrowedFd from;
    os::BorrowedFd to;
    LogCompression compression;
    std::int32_t parent;
};

// Allocates: the parent has no threads.
int pack(void* argument) noexcept
{
    const auto& work = *static_cast<const Work*>(argument);
    if (os::child::set_parent_death_signal(SIGKILL, work.parent) != 0) return 1;
    std::array keep{work.from.get(), work.to.get()};
    std::ranges::sort(keep);
    os::child::close_all_but(keep);  // nothing of the service's, or of the lease, may be held by this process
    static_cast<void>(os::child::set_nice(lowest_priority));
    static_cast<void>(os::child::set_idle_io());
    os::set_process_name("steward-pack");
    return log::compress(work.from, work.to, work.compression) ? 0 : 1;
}

}  // namespace

LogPacker::LogPacker(log::EventLog& events, std::string service, log::LogFileOptions log, LogCompression compression)
    : events_(events), service_(std::move(service)), log_(std::move(log)), compression_(compression)
{
}

LogPacker::~LogPacker()
{
    std::erase(waiting, this);
    if (child_ == 0) return;
    os::abandon(child_);
    const auto directory = log::open_log_directory(log_.path);
    if (directory) static_cast<void>(os::remove_at(*directory, log::packing_name(os::base_of(log_.path))));
    busy = nullptr;
    next_turn();
}

void LogPacker::look()
{
    if (held_ || compression_ == LogCompression::none || std::ranges::find(waiting, this) != waiting.end()) return;
    waiting.push_back(this);
    next_turn();
}

void LogPacker::hold(bool held)
{
    held_ = held;
    if (held_) std::erase(waiting, this);
}

void LogPacker::next_turn()
{
    while (busy == nullptr && !waiting.empty()) {
        LogPacker* const next = waiting.front();
        waiting.erase(waiting.begin());
        next->settle(next->begin());
    }
}

Result<void> LogPacker::begin()
{
    const std::string base = os::base_of(log_.path);
    const auto directory = log::open_log_directory(log_.path);
    if (!directory) return fail(directory.error());
    const auto files = log::rotated_files(*directory, base);
    if (!files) return fail(files.error());
    const auto is_plain = [](const log::RotatedFile& file) {
        return file.compression == LogCompression::none && file.info.kind == os::FileInfo::Kind::regular;
    };
    const auto oldest = std::ranges::find_if(files->rbegin(), files->rend(), is_plain);
    if (oldest == files->rend()) return {};
    auto from = os::open_at(*directory, oldest->name, {.read = true});
    if (!from) return fail(from.error());
    if (auto removed = os::remove_at(*directory, log::packing_name(base)); !removed) return removed;
    log::LogFileOptions packing = log_;
    packing.path = log::packing_name(log_.path);
    packing.group = oldest->info.gid;
    const auto to = log::make_log(*directory, packing);
    if (!to) return fail(to.error());
    Work work{.from = *from, .to = *to, .compression = compression_, .parent = os::self_pid()};
    const auto spawned = os::spawn(&pack, &work);
    if (!spawned) return fail(spawned.error());
    busy = this;
    child_ = spawned->child.pid;
    packed_ = std::move(*from);
    return {};
}

bool LogPacker::child_ended(std::int32_t pid, const ExitStatus& status)
{
    if (child_ == 0 || pid != child_) return false;
    child_ = 0;
    busy = nullptr;
    auto finished = finish(status);
    settle(finished);
    // One that cannot be compressed is not tried again until the log is rotated again.
    if (finished) look();
    next_turn();
    return true;
}

Result<void> LogPacker::finish(const ExitStatus& status)
{
    const os::UniqueFd packed = std::move(packed_);
    const std::string base = os::base_of(log_.path);
    const auto directory = log::open_log_directory(log_.path);
    if (!directory) return fail(directory.error());
    const std::string packing = log::packing_name(base);
    if (status.signalled || status.code != 0) {
        static_cast<void>(os::remove_at(*directory, packing));
        const std::string cause = "its compression ended with " + to_string(status);
        return fail(Error{.operation = "compress", .object = "rotated log of " + os::quoted(log_.path), .cause = cause, .next_step = {}});
    }
    const auto files = log::rotated_files(*directory, base);
    const auto held = os::info(packed);
    if (!files || !held) return fail(files ? held.error() : files.error());
    const auto read = std::ranges::find_if(
        *files, [&](const log::RotatedFile& file) { return file.info.inode == held->inode && file.info.device == held->device; });
    if (read == files->end()) return os::remove_at(*directory, packing);  // it has gone meanwhile
    if (auto named = os::rename_at(*directory, packing, log::rotated_name(base, read->number, compression_)); !named) {
        static_cast<void>(os::remove_at(*directory, packing));
        return named;
    }
    return os::remove_at(*directory, read->name);
}

void LogPacker::settle(const Result<void>& outcome)
{
    if (!outcome && !faulted_) events_.error(service_, outcome.error().message());
    faulted_ = !outcome;
}

}  // namespace steward::supervise
