// Files opened so that no other user can lead root astray, read whole, and replaced atomically.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

struct OpenOptions {
    bool read = false;
    bool write = false;
    bool append = false;
    bool create = false;
    bool exclusive = false;
    bool truncate = false;
    bool directory = false;
    bool path_only = false;  // O_PATH
    unsigned mode = 0600;
};

// Opens `path` without following a symbolic link that another user could have put there: the last component may never be a link;
// a link among the others is followed only when it belongs to root or to `uid_we_trust` and stands in a directory that nobody else
// can write. Never blocks (O_NONBLOCK, cleared again for regular files), close-on-exec, no controlling terminal.
// Uses openat2(2), falls back to component-by-component openat. ELOOP for a refused link.
Result<UniqueFd> open_trusted(const std::string& path, const OpenOptions& options);
// The same, below a directory that the caller holds; `name` has no '/'.
Result<UniqueFd> open_at(BorrowedFd directory, const std::string& name, const OpenOptions& options);
// For files the administrator named and vouches for (service files, environment files): links are followed.
Result<UniqueFd> open_following(const std::string& path, const OpenOptions& options);

struct FileInfo {
    enum class Kind { regular, directory, symlink, fifo, socket, device };
    Kind kind = Kind::regular;
    unsigned mode = 0;  // permission bits
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;  // since the epoch
    unsigned links = 1;
    friend bool operator==(const FileInfo&, const FileInfo&) = default;
};
Result<FileInfo> info(BorrowedFd fd);
// Of the link itself where `path` is one. Unset when there is nothing (ENOENT, ENOTDIR).
Result<std::optional<FileInfo>> info_at(const std::string& path, bool follow = false);
// Of what stands in a directory under that name, links as such.
Result<std::optional<FileInfo>> info_in(BorrowedFd directory, const std::string& name);
[[nodiscard]] bool can_execute(const std::string& path);  // a regular file with an x bit for the caller

Result<std::string> read_file(const std::string& path, std::size_t limit);  // follows links
struct Owner {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};
// Temp file in the same directory, written, synced if asked, renamed over `name`: a reader sees the old or the new file, whole.
Result<void> replace_file(BorrowedFd directory, const std::string& name, std::string_view content, unsigned mode, bool sync = false,
                          std::optional<Owner> owner = {});
// A symbolic link likewise.
Result<void> replace_link(BorrowedFd directory, const std::string& name, const std::string& target, bool sync = false);
// Whether the name is such a temp file's, which a killed writer leaves behind.
[[nodiscard]] bool is_temporary(std::string_view name);
Result<void> sync_directory(BorrowedFd directory);                                             // which may be O_PATH
Result<void> remove_at(BorrowedFd directory, const std::string& name);                         // succeeds when there is nothing
Result<void> rename_at(BorrowedFd directory, const std::string& from, const std::string& to);  // EEXIST where `to` is there

// Makes `path` and its missing parents (0755 but for the last). An existing directory is left as it is. Links: as open_trusted.
Result<UniqueFd> make_directories(const std::string& path, unsigned mode);
// Makes the directory `path` for `uid`:`gid` or proves that the one there is theirs (or root's); chowns only what it created.
Result<void> make_owned_directory(const std::string& path, unsigned mode, std::uint32_t uid, std::uint32_t gid);

// Names in a directory, sorted, without "." and "..". A directory that does not exist is empty.
Result<std::vector<std::string>> list_directory(const std::string& path);
Result<std::vector<std::string>> list_directory(BorrowedFd directory);  // which may be O_PATH

// "/a/b/c" → "/a/b" and "c".
[[nodiscard]] std::string parent_of(const std::string& path);
[[nodiscard]] std::string base_of(const std::string& path);
[[nodiscard]] std::string absolute(const std::string& path);  // against the current directory, not resolved

// Positioned reads and writes of one small block, whole or not at all as far as this process can see.
Result<std::size_t> read_at(BorrowedFd fd, std::span<std::byte> into, std::uint64_t offset);
Result<void> write_at(BorrowedFd fd, std::span<const std::byte> bytes, std::uint64_t offset);
// From the end of a file: at most `limit` bytes.
Result<std::string> read_tail(BorrowedFd fd, std::size_t limit);

Result<void> change_owner(BorrowedFd fd, std::uint32_t uid, std::uint32_t gid);
Result<void> change_mode(BorrowedFd fd, unsigned mode);
Result<void> set_file_size(BorrowedFd fd, std::uint64_t size);
Result<void> set_modified(BorrowedFd fd, std::int64_t since_epoch_ns);
Result<void> sync(BorrowedFd fd);  // fsync

}  // namespace steward::os
