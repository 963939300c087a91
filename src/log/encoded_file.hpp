// The bytes of a log file as the service wrote them, whether the file is compressed or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::log {

enum class Encoding { plain, gzip, zstd };

// By the end of its name: ".gz", ".zst".
[[nodiscard]] Encoding encoding_of(std::string_view path);

// Read from front to back. Offsets count the bytes that come out. A decompressor is made by the first read and is as large as the
// file's own window asks, 8 MiB at most.
class EncodedFile {
  public:
    EncodedFile(os::UniqueFd fd, Encoding encoding, std::string path);
    EncodedFile(EncodedFile&&) noexcept;
    EncodedFile& operator=(EncodedFile&&) noexcept;
    ~EncodedFile();

    // 0: the end; of a plain file the end for now. A compressed one that ends too early or is damaged is an error.
    Result<std::size_t> read(std::span<char> into);
    // A compressed file is read up to there, or again from its beginning.
    Result<void> seek(std::uint64_t offset);
    // A plain file ends there, however it grows; unset: where it ends.
    void end_at(std::optional<std::uint64_t> end) { end_ = end; }

    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    [[nodiscard]] Encoding encoding() const { return encoding_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] os::BorrowedFd fd() const { return fd_; }

  private:
    struct Decoder;
    struct Gzip;
    struct Zstd;

    Result<std::size_t> read_plain(std::span<char> into);
    [[nodiscard]] Error damaged(const char* why) const;

    os::UniqueFd fd_;
    Encoding encoding_;
    std::string path_;
    std::unique_ptr<Decoder> decoder_;
    std::uint64_t offset_ = 0;
    std::optional<std::uint64_t> end_;
};

}  // namespace steward::log
