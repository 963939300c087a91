// Bytes into lines, with bounded memory: a line that is longer than the bound comes in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <steward/result.hpp>

#include "log/encoded_file.hpp"

namespace steward::log {

// A line, without its newline, or a piece of one. No piece ends within a character of UTF-8.
struct LinePiece {
    std::string_view bytes;    // valid until the reader is used again
    std::uint64_t offset = 0;  // where it begins in its file; in the file before, where it began there
    bool begins = true;
    bool ends = true;
};

class LineReader {
  public:
    static constexpr std::size_t longest_piece = std::size_t{1024} * 1024;

    // The next piece; unset when the file has no more, or not yet: what stands there without a newline is kept.
    Result<std::optional<LinePiece>> next(EncodedFile& file);
    // What is kept, as a line that ends there; unset when nothing is.
    std::optional<LinePiece> rest();
    // The next file is about to be read. What is kept goes on there, unless a stamp tells that another line begins.
    void enter_next_file() { boundary_ = kept(); }

  private:
    [[nodiscard]] std::size_t kept() const { return end_ - begin_; }
    [[nodiscard]] std::string_view unread() const { return {buffer_.data() + begin_, kept()}; }
    LinePiece take(std::size_t bytes, std::size_t with_end, bool ends);
    std::optional<LinePiece> next_kept();
    Result<bool> fill(EncodedFile& file);

    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t searched_ = 0;             // from begin_ on, no newline there
    std::uint64_t read_ = 0;               // offset in the file of end_
    bool inside_ = false;                  // the beginning of the line was given already
    std::optional<std::size_t> boundary_;  // from begin_ on: where the next file's bytes start
};

}  // namespace steward::log
