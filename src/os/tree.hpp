// A tree of files that is changed in place: the host's own, or an image's, whose paths are resolved as chroot(2) would, so that no
// link and no ".." leads out of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"
#include "os/file.hpp"

namespace steward::os {

// Paths are absolute within the tree. On the way a link is followed only as open_trusted promises; the last component never is. All that
// changes something is on disk when it returns. Needs no /proc.
class Tree {
  public:
    // "" is the host's own.
    static Result<Tree> open(const std::string& root);

    // What stands at a path. `text` is a regular file's content, or a link's target.
    struct Object {
        FileInfo info;
        std::string text;
    };
    // Unset when there is nothing. A file larger than `limit` is an error.
    Result<std::optional<Object>> look(const std::string& path, std::size_t limit) const;
    // Sorted, without those that a killed writer has left; none where there is no such directory.
    Result<std::vector<std::string>> list(const std::string& path) const;
    // Whether files can be made at `path`, in it or in the nearest directory above it that is there.
    [[nodiscard]] bool can_write_in(const std::string& path) const;

    // Replace what is there, whole, in a directory that is there.
    Result<void> write_file(const std::string& path, std::string_view content, unsigned mode, std::optional<Owner> owner = {}) const;
    Result<void> write_link(const std::string& path, const std::string& target) const;
    Result<void> remove(const std::string& path) const;  // a file or a link; nothing is success
    Result<void> make_directory(const std::string& path, unsigned mode) const;
    Result<void> remove_directory(const std::string& path) const;  // leaves one that is not empty

    // Temporary files of writers that were killed. For the caller who alone writes there.
    Result<void> sweep(const std::string& directory) const;
    // A directory and all in it, never over a link or to another file system; nothing is success.
    Result<void> remove_all(const std::string& path) const;

    // A file that only its owner can open, made where it is missing; held until the descriptor is closed; waits for whoever holds it. Whoever
    // holds it may remove it.
    Result<UniqueFd> lock(const std::string& path) const;

  private:
    explicit Tree(UniqueFd root) : root_(std::move(root)) {}
    struct Spot;
    Result<Spot> walk(const std::string& path) const;

    UniqueFd root_;  // empty: the host's own
};

}  // namespace steward::os
