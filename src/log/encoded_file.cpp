#include "log/encoded_file.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <vector>

#include <zlib.h>
#include <zstd.h>

#include "os/error.hpp"
#include "os/file.hpp"

namespace steward::log {

// Turns compressed bytes into those that were there before.
struct EncodedFile::Decoder {
    Decoder() = default;
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    virtual ~Decoder() = default;

    enum class Step { more, whole, damaged };
    // Takes from `in`, gives to `into`, both cut by what was taken and given. `whole`: what is compressed ends here, unless more follows.
    virtual Step step(std::span<unsigned char>& in, std::span<char>& into) = 0;

    std::array<unsigned char, std::size_t{32} * 1024> buffer{};
    std::span<unsigned char> waiting;
    std::uint64_t taken = 0;  // of the file
    Step last = Step::more;
};

struct EncodedFile::Gzip : Decoder {
    Gzip()
    {
        constexpr int gzip_only = 15 + 16;
        if (inflateInit2(&stream, gzip_only) != Z_OK) throw std::bad_alloc();
    }
    ~Gzip() override { inflateEnd(&stream); }
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;

    Step step(std::span<unsigned char>& in, std::span<char>& into) override
    {
        // A file may hold several members, one after the other.
        if (last == Step::whole && inflateReset(&stream) != Z_OK) return Step::damaged;
        stream.next_in = in.data();
        stream.avail_in = static_cast<uInt>(in.size());
        stream.next_out = reinterpret_cast<Bytef*>(into.data());
        stream.avail_out = static_cast<uInt>(std::min<std::size_t>(into.size(), 1U << 30U));
        const std::size_t room = stream.avail_out;
        const int outcome = inflate(&stream, Z_NO_FLUSH);
        in = in.last(stream.avail_in);
        into = into.subspan(room - stream.avail_out);
        if (outcome == Z_STREAM_END) return Step::whole;
        return outcome == Z_OK || outcome == Z_BUF_ERROR ? Step::more : Step::damaged;
    }

    z_stream stream{};
};

struct EncodedFile::Zstd : Decoder {
    Zstd() : stream(ZSTD_createDStream())
    {
        if (stream == nullptr) throw std::bad_alloc();
        constexpr int largest_window = 23;  // 8 MiB: a hostile file must not ask for gigabytes
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, largest_window);
    }
    ~Zstd() override { ZSTD_freeDStream(stream); }
    Zstd(const Zstd&) = delete;
    Zstd& operator=(const Zstd&) = delete;

    Step step(std::span<unsigned char>& in, std::span<char>& into) override
    {
        ZSTD_inBuffer from{in.data(), in.size(), 0};
        ZSTD_outBuffer to{into.data(), into.size(), 0};
        const std::size_t outcome = ZSTD_decompressStream(stream, &to, &from);
        in = in.subspan(from.pos);
        into = into.subspan(to.pos);
        if (ZSTD_isError(outcome) != 0) return Step::damaged;
        return outcome == 0 ? Step::whole : Step::more;
    }

    ZSTD_DStream* stream;
};

Encoding encoding_of(std::string_view path)
{
    return path.ends_with(".gz") ? Encoding::gzip : path.ends_with(".zst") ? Encoding::zstd : Encoding::plain;
}

EncodedFile::EncodedFile(os::UniqueFd fd, Encoding encoding, std::string path)
    : fd_(std::move(fd)), encoding_(encoding), path_(std::move(path))
{
}
EncodedFile::EncodedFile(EncodedFile&&) noexcept = default;
EncodedFile& EncodedFile::operator=(EncodedFile&&) noexcept = default;
EncodedFile::~EncodedFile() = default;

Error EncodedFile::damaged(const char* why) const
{
    return {.code = ErrorCode::failed, .operation = "read", .object = "log file " + os::quoted(path_), .cause = why};
}

Result<std::size_t> EncodedFile::read_plain(std::span<char> into)
{
    if (end_) into = into.first(std::min<std::uint64_t>(into.size(), *end_ > offset_ ? *end_ - offset_ : 0));
    if (into.empty()) return 0;
    const auto got = os::read_at(fd_, std::as_writable_bytes(into), offset_);
    if (!got) return fail(got.error());
    offset_ += *got;
    return *got;
}

Result<std::size_t> EncodedFile::read(std::span<char> into)
{
    if (encoding_ == Encoding::plain) return read_plain(into);
    if (!decoder_) {
        try {
            if (encoding_ == Encoding::gzip)
                decoder_ = std::make_unique<Gzip>();
            else
                decoder_ = std::make_unique<Zstd>();
        } catch (const std::bad_alloc&) {
            return fail(damaged("there is no memory to decompress it"));
        }
    }
    Decoder& decoder = *decoder_;
    std::span<char> room = into;
    while (!into.empty() && room.size() == into.size()) {
        if (decoder.waiting.empty()) {
            const auto got = os::read_at(fd_, std::as_writable_bytes(std::span(decoder.buffer)), decoder.taken);
            if (!got) return fail(got.error());
            decoder.taken += *got;
            decoder.waiting = std::span(decoder.buffer).first(*got);
            if (*got == 0 && decoder.last != Decoder::Step::whole && decoder.taken > 0) return fail(damaged("it is cut short"));
            if (*got == 0) return 0;
        }
        decoder.last = decoder.step(decoder.waiting, room);
        if (decoder.last == Decoder::Step::damaged) return fail(damaged("what is compressed in it is damaged"));
    }
    offset_ += into.size() - room.size();
    return into.size() - room.size();
}

Result<void> EncodedFile::seek(std::uint64_t offset)
{
    if (encoding_ == Encoding::plain) {
        offset_ = offset;
        return {};
    }
    if (offset < offset_) {
        decoder_.reset();
        offset_ = 0;
    }
    std::vector<char> skipped(std::size_t{64} * 1024);
    while (offset_ < offset) {
        const auto got = read(std::span(skipped).first(std::min<std::uint64_t>(skipped.size(), offset - offset_)));
        if (!got) return fail(got.error());
        if (*got == 0) break;
    }
    return {};
}

}  // namespace steward::log
