#include "log/line_reader.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "log/read_stamp.hpp"

namespace steward::log {

namespace {

constexpr std::size_t first_size = std::size_t{64} * 1024;

// The longest beginning of `text` that ends with a whole character; all of it where it is not UTF-8 there.
std::size_t whole_characters(std::string_view text)
{
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xc0U) == 0x80U) continue;
        const std::size_t length = byte >= 0xf0U ? 4 : byte >= 0xe0U ? 3 : byte >= 0xc0U ? 2 : 1;
        return length > back ? text.size() - back : text.size();
    }
    return text.size();
}

}  // namespace

LinePiece LineReader::take(std::size_t bytes, std::size_t with_end, bool ends)
{
    const LinePiece piece{
        .bytes = unread().substr(0, bytes), .offset = read_ - std::min<std::uint64_t>(read_, kept()), .begins = !inside_, .ends = ends};
    inside_ = !ends;
    begin_ += with_end;
    searched_ = 0;
    if (boundary_) boundary_ = *boundary_ > with_end ? std::optional(*boundary_ - with_end) : std::nullopt;
    return piece;
}

// Out of what has been read already.
std::optional<LinePiece> LineReader::next_kept()
{
    const std::string_view text = unread();
    const char* const from = text.data() + searched_;
    const auto* newline = kept() == searched_ ? nullptr : static_cast<const char*>(std::memchr(from, '\n', kept() - searched_));
    const std::size_t line = newline == nullptr ? kept() : static_cast<std::size_t>(newline - text.data());
    if (boundary_ && line >= *boundary_ && (*boundary_ > 0 || inside_)) {
        const std::string_view after = text.substr(*boundary_);
        if (newline == nullptr && after.size() < longest_read_stamp) return std::nullopt;
        if (read_stamp(after)) return take(*boundary_, *boundary_, true);
    }
    boundary_.reset();
    if (newline != nullptr && line <= longest_piece) return take(line, line + 1, true);
    searched_ = line;
    if (line < longest_piece) return std::nullopt;
    searched_ = 0;
    const std::size_t bytes = whole_characters(text.substr(0, longest_piece));
    return take(bytes, bytes, false);
}

// False: there is nothing more.
Result<bool> LineReader::fill(EncodedFile& file)
{
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, kept());
        end_ -= std::exchange(begin_, 0);
    }
    if (buffer_.size() - end_ < first_size) buffer_.resize(std::max(first_size, buffer_.size()) * 2);
    const auto got = file.read(std::span(buffer_).subspan(end_));
    if (!got) return fail(got.error());
    end_ += *got;
    read_ = file.offset();
    return *got > 0;
}

Result<std::optional<LinePiece>> LineReader::next(EncodedFile& file)
{
    for (;;) {
        if (auto piece = next_kept()) return piece;
        const auto filled = fill(file);
        if (!filled) return fail(filled.error());
        if (!*filled) return std::optional<LinePiece>{};
    }
}

std::optional<LinePiece> LineReader::rest()
{
    boundary_.reset();
    if (kept() == 0 && !inside_) return std::nullopt;
    return take(kept(), kept(), true);
}

}  // namespace steward::log
