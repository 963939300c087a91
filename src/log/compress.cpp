#include "log/compress.hpp"

#include <zlib.h>
#include <zstd.h>

#include <memory>
#include <span>
#include <vector>

#include "os/file.hpp"

namespace steward::log {

namespace {

constexpr std::size_t block_size = std::size_t{128} * 1024;

Error failure(std::string cause)
{
    return {.operation = "compress", .object = "the log", .cause = std::move(cause), .next_step = {}};
}

// Reads in blocks and writes what `step` makes of them. `step(input, last, output)` takes all of the input and hands on what it makes.
class Blocks {
  public:
    Blocks(os::BorrowedFd from, os::BorrowedFd to) : from_(from), to_(to), input_(block_size), output_(block_size) {}

    // The next block; a short one is the last.
    Result<std::span<char>> read()
    {
        const auto got = os::read_at(from_, std::as_writable_bytes(std::span(input_)), read_);
        if (!got) return fail(got.error());
        read_ += *got;
        return std::span(input_).first(*got);
    }
    [[nodiscard]] std::span<char> output() { return output_; }
    Result<void> write(std::size_t size)
    {
        auto written = os::write_at(to_, std::as_bytes(std::span(output_).first(size)), written_);
        written_ += size;
        return written;
    }

  private:
    os::BorrowedFd from_;
    os::BorrowedFd to_;
    std::vector<char> input_;
    std::vector<char> output_;
    std::uint64_t read_ = 0;
    std::uint64_t written_ = 0;
};

Result<void> gzip(Blocks& blocks)
{
    constexpr int window_and_gzip_header = 15 + 16;
    constexpr int memory_level = 8;
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_and_gzip_header, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
        return fail(failure("zlib does not begin"));
    const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, deflateEnd);
    for (;;) {
        const auto input = blocks.read();
        if (!input) return fail(input.error());
        const bool last = input->size() < block_size;
        stream.next_in = reinterpret_cast<Bytef*>(input->data());
        stream.avail_in = static_cast<uInt>(input->size());
        int state = Z_OK;
        do {
            const auto output = blocks.output();
            stream.next_out = reinterpret_cast<Bytef*>(output.data());
            stream.avail_out = static_cast<uInt>(output.size());
            state = deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
            if (state == Z_STREAM_ERROR) return fail(failure("zlib fails"));
            if (auto written = blocks.write(output.size() - stream.avail_out); !written) return written;
        } while (stream.avail_out == 0);
        if (state == Z_STREAM_END) return {};
    }
}

Result<void> zstd(Blocks& blocks)
{
    const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    if (context == nullptr) return fail(failure("zstd does not begin"));
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    for (;;) {
        const auto bytes = blocks.read();
        if (!bytes) return fail(bytes.error());
        const bool last = bytes->size() < block_size;
        ZSTD_inBuffer input{.src = bytes->data(), .size = bytes->size(), .pos = 0};
        for (bool done = false; !done;) {
            const auto room = blocks.output();
            ZSTD_outBuffer output{.dst = room.data(), .size = room.size(), .pos = 0};
            const std::size_t left = ZSTD_compressStream2(context.get(), &output, &input, last ? ZSTD_e_end : ZSTD_e_continue);
            if (ZSTD_isError(left) != 0) return fail(failure(ZSTD_getErrorName(left)));
            if (auto written = blocks.write(output.pos); !written) return written;
            done = last ? left == 0 : input.pos == input.size;
        }
        if (last) return {};
    }
}

}  // namespace

Result<void> compress(os::BorrowedFd from, os::BorrowedFd to, LogCompression kind)
{
    const auto found = os::info(from);
    if (!found) return fail(found.error());
    Blocks blocks(from, to);
    if (auto packed = kind == LogCompression::gzip ? gzip(blocks) : zstd(blocks); !packed) return packed;
    // Its time is that of its last line: by it, those who look for lines of a time leave it out.
    if (auto set = os::set_modified(to, found->modified_ns); !set) return set;
    return os::sync(to);
}

}  // namespace steward::log
