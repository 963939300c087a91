// Any bytes as a log file that grows: its lines are its bytes, whatever pieces they come in. Compressed, or meant to be: lines or an error.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "log/line_reader.hpp"

using namespace steward;

namespace {

void require(bool right, const char* what)
{
    if (right) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

int memory_file()
{
    static const int fd = memfd_create("log", 0);
    require(fd >= 0 && ftruncate(fd, 0) == 0, "no memory file");
    return fd;
}

// What comes out, put together again.
struct Lines {
    std::string bytes;
    bool inside = false;

    void take(const log::LinePiece& piece)
    {
        require(piece.begins != inside, "a piece that begins within a line, or goes on without one");
        require(piece.bytes.size() <= log::LineReader::longest_piece, "a piece that is too long");
        require(piece.bytes.find('\n') == std::string_view::npos, "a newline within a line");
        bytes += piece.bytes;
        if (piece.ends) bytes += '\n';
        inside = !piece.ends;
    }
};

bool read_all(log::LineReader& reader, log::EncodedFile& file, Lines& lines)
{
    for (;;) {
        const auto piece = reader.next(file);
        if (!piece) return false;
        if (!*piece) return true;
        lines.take(**piece);
    }
}

void try_growing(const std::string& text, std::size_t step)
{
    const int fd = memory_file();
    log::EncodedFile file(os::UniqueFd(dup(fd)), log::Encoding::plain, "log");
    log::LineReader reader;
    Lines lines;
    for (std::size_t written = 0; written < text.size(); written += step) {
        const std::size_t size = std::min(step, text.size() - written);
        require(pwrite(fd, text.data() + written, size, static_cast<off_t>(written)) == static_cast<ssize_t>(size), "a failed write");
        require(read_all(reader, file, lines), "a plain file that cannot be read");
    }
    if (const auto rest = reader.rest()) lines.take(*rest);
    require(!lines.inside, "a line without an end");
    require(lines.bytes == text || lines.bytes == text + "\n", "other bytes than were written");
}

void try_compressed(const std::string& text, log::Encoding encoding)
{
    const int fd = memory_file();
    require(pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()), "a failed write");
    log::EncodedFile file(os::UniqueFd(dup(fd)), encoding, "log");
    log::LineReader reader;
    Lines lines;
    for (int pieces = 0; pieces < 64; ++pieces) {
        const auto piece = reader.next(file);
        if (!piece) return;
        if (!*piece) break;
        lines.take(**piece);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
    switch (data[0]) {
        case 'g': try_compressed(text, log::Encoding::gzip); break;
        case 'z': try_compressed(text, log::Encoding::zstd); break;
        case 'm': {
            // Lines of megabytes.
            std::string large = text;
            while (!large.empty() && large.size() < log::LineReader::longest_piece * 3 / 2) large += std::string(large);
            try_growing(large, (std::size_t{data[1]} + 1) * 8192);
            break;
        }
        default: try_growing(text, std::max<std::size_t>(data[1], text.size() / 16) + 1);
    }
    return 0;
}
