#include "log/compress.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <random>

#include "helpers/scratch.hpp"
#include "log/rotation.hpp"
#include "os/file.hpp"

namespace steward::log {
namespace {

std::string random_text(std::size_t size)
{
    std::minstd_rand random(1);
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>('a' + random() % 20);
    return text;
}

// The tools that users will read it with.
std::string unpacked(const std::string& path, LogCompression kind)
{
    const std::string command = (kind == LogCompression::gzip ? "gzip -dc <" : "zstd -dcq <") + path + " >" + path + ".out";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return test::content_of(path + ".out");
}

TEST(Compress, gives_what_gzip_and_zstd_read)
{
    for (const auto kind : {LogCompression::gzip, LogCompression::zstd}) {
        // Around the size of a block too: an end at a block's end is an end.
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{5}, std::size_t{128} * 1024, std::size_t{128} * 1024 + 1, std::size_t{3'000'000}}) {
            const test::ScratchDirectory scratch;
            const std::string text = random_text(size);
            const auto from = os::open_trusted(scratch.write("from", text), {.read = true}).value();
            const auto to = os::open_trusted(scratch / "to", {.write = true, .create = true}).value();
            const auto packed = compress(from, to, kind);
            ASSERT_TRUE(packed) << packed.error().message();
            EXPECT_EQ(unpacked(scratch / "to", kind), text);
            EXPECT_EQ(os::info(from)->modified_ns, os::info(to)->modified_ns);
            EXPECT_TRUE(size < 1'000'000 || os::info(to)->size < size);
        }
    }
}

TEST(Compress, says_that_it_cannot_write)
{
    const test::ScratchDirectory scratch;
    const auto from = os::open_trusted(scratch.write("from", random_text(1000)), {.read = true}).value();
    const auto full = os::open_following("/dev/full", {.write = true}).value();
    for (const auto kind : {LogCompression::gzip, LogCompression::zstd}) EXPECT_FALSE(compress(from, full, kind));
}

}  // namespace
}  // namespace steward::log
