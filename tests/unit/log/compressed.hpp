// Compressed log files for tests, by the libraries.
#pragma once

#include <string>

#include <zlib.h>
#include <zstd.h>

namespace steward::test {

// One gzip member.
inline std::string gzipped(const std::string& content)
{
    z_stream stream{};
    constexpr int gzip_only = 15 + 16;
    deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_only, 8, Z_DEFAULT_STRATEGY);
    std::string result(deflateBound(&stream, content.size()), '\0');
    std::string copy = content;
    stream.next_in = reinterpret_cast<Bytef*>(copy.data());
    stream.avail_in = static_cast<uInt>(copy.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    deflate(&stream, Z_FINISH);
    result.resize(stream.total_out);
    deflateEnd(&stream);
    return result;
}

// One zstd frame.
inline std::string zstandard(const std::string& content)
{
    std::string result(ZSTD_compressBound(content.size()), '\0');
    result.resize(ZSTD_compress(result.data(), result.size(), content.data(), content.size(), 3));
    return result;
}

}  // namespace steward::test
