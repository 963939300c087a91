// A log and its rotated files as one sequence of bytes, oldest first, however often it is rotated while somebody reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <steward/result.hpp>

#include "log/encoded_file.hpp"
#include "os/file.hpp"

namespace steward::log {

struct ChainFile {
    EncodedFile file;
    os::FileInfo info;      // as it was when it was opened
    std::string beginning;  // its first bytes: by them it is known again when it has been compressed
};

// Knows NAME.log, NAME.log.1, NAME.log.2.gz … and logrotate's NAME.log-20261121; a higher number, or an earlier date, is older.
class LogChain {
  public:
    explicit LogChain(std::string path) : path_(std::move(path)) {}

    // Opens what came since the last call, and at the first call everything; false: nothing did. A log that is not there is empty. What was
    // rotated out of reach between two calls is a gap. An error: it is rotated all the time. `oldest_wanted`: older files, by their
    // modification, are left out.
    Result<bool> refresh(std::optional<std::chrono::system_clock::time_point> oldest_wanted = std::nullopt);
    [[nodiscard]] bool take_gap() { return std::exchange(gap_, false); }

    // Oldest first. Whoever has read one to its end, and sees another behind it, drops it.
    [[nodiscard]] std::deque<ChainFile>& files() { return files_; }
    [[nodiscard]] const std::deque<ChainFile>& files() const { return files_; }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    struct Found;
    // An inode's number is given to another file when it is free: only together with its first bytes it tells one that was read before.
    struct Seen {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::string beginning;
    };
    Result<std::optional<std::vector<Found>>> look() const;
    void learn_beginnings();
    Result<std::optional<std::vector<ChainFile>>> open_new(const std::vector<Found>& found, bool& reached);
    [[nodiscard]] bool was_seen(const ChainFile& opened) const;
    void remember(const ChainFile& opened);

    std::string path_;
    std::deque<ChainFile> files_;
    std::deque<Seen> seen_;  // newest last, a few
    bool gap_ = false;
};

// Names among `names` that are rotated files of `base`, newest first.
[[nodiscard]] std::vector<std::string> rotated_names(const std::string& base, const std::vector<std::string>& names);

}  // namespace steward::log
