// FIFOs, and splice(2) out of them: bytes that leave a FIFO inside the kernel are in the FIFO or in the file, whoever is killed when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

// The FIFO `name` in a directory that nobody else can write, for reading and writing, so that it never breaks: made where it is missing, and
// made anew over anything else. It belongs to `uid`:`gid`, mode 0600. Non-blocking, close-on-exec.
Result<UniqueFd> open_fifo(BorrowedFd directory, const std::string& name, std::uint32_t uid, std::uint32_t gid);
// The one that is there; unset where there is none.
Result<std::optional<UniqueFd>> find_fifo(BorrowedFd directory, const std::string& name);
// The same without a name.
Result<UniqueFd> make_nameless_fifo(std::uint32_t uid, std::uint32_t gid);

// Moves at most `limit` bytes to `offset` of a file that is not open for appending. 0: none waits. EINVAL: this file system cannot.
Result<std::size_t> splice_to_file(BorrowedFd fifo, BorrowedFd file, std::uint64_t offset, std::size_t limit);
// One read that does not wait. 0: nothing is there.
Result<std::size_t> read_waiting(BorrowedFd fifo, std::span<std::byte> into);
[[nodiscard]] std::size_t bytes_waiting(BorrowedFd fifo);
[[nodiscard]] std::size_t pipe_capacity(BorrowedFd fifo);
// As near to `size` as this user may.
void grow_pipe(BorrowedFd fifo, std::size_t size);

// A file in memory, without a name.
Result<UniqueFd> make_memory_file(const std::string& name);

}  // namespace steward::os
