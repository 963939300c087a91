#include "os/pipe.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "os/error.hpp"
#include "os/file.hpp"

namespace steward::os {
namespace {

Result<void> give_to(BorrowedFd fifo, std::uint32_t uid, std::uint32_t gid)
{
    const auto found = info(fifo);
    if (!found) return fail(found.error());
    if (found->uid != uid || found->gid != gid) {
        if (auto given = change_owner(fifo, uid, gid); !given) return given;
    }
    return found->mode == 0600 ? Result<void>() : change_mode(fifo, 0600);
}

// What stands there is looked at before it is opened: only a FIFO is opened at all.
Result<bool> is_fifo(BorrowedFd directory, const std::string& name)
{
    const auto object = open_at(directory, name, {.path_only = true});
    if (!object && object.error().os_errno == ELOOP) return false;
    if (!object) return fail(object.error());
    const auto found = info(*object);
    if (!found) return fail(found.error());
    return found->kind == FileInfo::Kind::fifo;
}

}  // namespace

Result<UniqueFd> open_fifo(BorrowedFd directory, const std::string& name, std::uint32_t uid, std::uint32_t gid)
{
    const auto there = is_fifo(directory, name);
    if (!there && there.error().os_errno != ENOENT) return fail(there.error());
    if (!there || !*there) {
        if (auto removed = remove_at(directory, name); !removed) return fail(removed.error());
        if (mkfifoat(directory.get(), name.c_str(), 0600) < 0) return fail(errno_error("make", "FIFO " + quoted(name), errno));
    }
    auto fifo = open_at(directory, name, {.read = true, .write = true});
    if (!fifo) return fifo;
    if (auto given = give_to(*fifo, uid, gid); !given) return fail(given.error());
    return fifo;
}

Result<std::optional<UniqueFd>> find_fifo(BorrowedFd directory, const std::string& name)
{
    const auto there = is_fifo(directory, name);
    if (!there && there.error().os_errno != ENOENT) return fail(there.error());
    if (!there || !*there) return std::optional<UniqueFd>();
    auto fifo = open_at(directory, name, {.read = true, .write = true});
    if (!fifo) return fail(fifo.error());
    return std::optional(std::move(*fifo));
}

Result<UniqueFd> make_nameless_fifo(std::uint32_t uid, std::uint32_t gid)
{
    auto fifo = make_mailbox();
    if (!fifo) return fifo;
    if (auto given = give_to(*fifo, uid, gid); !given) return fail(given.error());
    return fifo;
}

Result<std::size_t> splice_to_file(BorrowedFd fifo, BorrowedFd file, std::uint64_t offset, std::size_t limit)
{
    auto place = static_cast<off64_t>(offset);
    ssize_t moved = 0;
    do moved = splice(fifo.get(), nullptr, file.get(), &place, limit, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    while (moved < 0 && errno == EINTR);
    if (moved < 0 && errno == EAGAIN) return std::size_t{0};
    if (moved < 0) return fail(errno_error("write to", "the log", errno));
    return static_cast<std::size_t>(moved);
}

Result<std::size_t> read_waiting(BorrowedFd fifo, std::span<std::byte> into)
{
    auto got = read_some(fifo, into);
    if (!got && got.error().os_errno == EAGAIN) return std::size_t{0};
    return got;
}

std::size_t bytes_waiting(BorrowedFd fifo)
{
    int count = 0;
    return ioctl(fifo.get(), FIONREAD, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

std::size_t pipe_capacity(BorrowedFd fifo)
{
    const int capacity = fcntl(fifo.get(), F_GETPIPE_SZ);
    return capacity > 0 ? static_cast<std::size_t>(capacity) : 0;
}

void grow_pipe(BorrowedFd fifo, std::size_t size)
{
    while (size > pipe_capacity(fifo) && fcntl(fifo.get(), F_SETPIPE_SZ, static_cast<int>(size)) < 0) size /= 2;
}

Result<UniqueFd> make_memory_file(const std::string& name)
{
    UniqueFd file(memfd_create(name.c_str(), MFD_CLOEXEC));
    if (!file) return fail(errno_error("make", "a file in memory", errno));
    return file;
}

}  // namespace steward::os
