#include "log/line_reader.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressed.hpp"
#include "helpers/scratch.hpp"

namespace steward::log {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;

class Lines : public testing::Test {
  protected:
    [[nodiscard]] EncodedFile file(const std::string& name, const std::string& content) const
    {
        const std::string path = scratch.write(name, content);
        return {os::UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC)), encoding_of(path), path};
    }

    // Every piece: its bytes, "+" before it if it goes on, "+" behind it if more follows.
    std::vector<std::string> pieces(EncodedFile& from)
    {
        std::vector<std::string> result;
        const auto add = [&](const LinePiece& piece) {
            result.push_back((piece.begins ? "" : "+") + std::string(piece.bytes) + (piece.ends ? "" : "+"));
        };
        for (;;) {
            const auto piece = reader.next(from);
            if (!piece) {
                fault = piece.error().message();
                return result;
            }
            if (!*piece) return result;
            add(**piece);
        }
    }

    test::ScratchDirectory scratch;
    LineReader reader;
    std::string fault;
};

TEST_F(Lines, end_at_newlines_and_keep_every_byte)
{
    auto log = file("log", "one\n\ntw\0o\xff\r\nthree"s);
    EXPECT_THAT(pieces(log), ElementsAre("one", "", "tw\0o\xff\r"s));
    EXPECT_EQ(reader.rest()->bytes, "three");
    EXPECT_FALSE(reader.rest());
}

TEST_F(Lines, come_out_of_compressed_files_and_several_parts_of_them)
{
    auto gz = file("log.gz", test::gzipped("one\ntw") + test::gzipped("o\n"));
    EXPECT_THAT(pieces(gz), ElementsAre("one", "two"));
    auto zst = file("log.zst", test::zstandard("three\nfo") + test::zstandard("ur\n"));
    EXPECT_THAT(pieces(zst), ElementsAre("three", "four"));
    EXPECT_EQ(fault, "");
    auto empty = file("empty.gz", "");
    EXPECT_THAT(pieces(empty), ElementsAre());
}

TEST_F(Lines, of_a_damaged_or_cut_file_are_an_error)
{
    const std::string whole = test::gzipped(std::string(10000, 'x') + "\n" + scratch.path());
    auto cut = file("cut.gz", whole.substr(0, whole.size() - 9));
    static_cast<void>(pieces(cut));
    EXPECT_THAT(fault, testing::HasSubstr("it is cut short"));
    auto noise = file("noise.zst", "this is no compressed file");
    static_cast<void>(pieces(noise));
    EXPECT_THAT(fault, testing::HasSubstr("is damaged"));
}

TEST_F(Lines, of_megabytes_come_in_pieces_that_cut_no_character)
{
    std::string text = "x";
    while (text.size() < 3 * LineReader::longest_piece) text += "ä€😀";
    auto log = file("log", text + "\nnext\n");
    const auto all = pieces(log);
    ASSERT_EQ(all.size(), 5U);
    std::string joined;
    for (std::size_t index = 0; index < 4; ++index) {
        std::string piece = all[index];
        EXPECT_EQ(piece.starts_with('+'), index > 0);
        EXPECT_EQ(piece.ends_with('+'), index < 3);
        std::erase(piece, '+');
        EXPECT_LE(piece.size(), LineReader::longest_piece);
        EXPECT_NE(static_cast<unsigned char>(piece.front()) & 0xc0U, 0x80U);
        joined += piece;
    }
    EXPECT_EQ(joined, text);
    EXPECT_EQ(all.back(), "next");
}

TEST_F(Lines, tell_where_they_begin)
{
    auto log = file("log", "one\ntwo\n");
    EXPECT_EQ(reader.next(log).value()->offset, 0U);
    EXPECT_EQ(reader.next(log).value()->offset, 4U);
}

TEST_F(Lines, go_on_in_the_next_file)
{
    auto first = file("log.1", "one\ntw");
    auto second = file("log", "o\nthree\n");
    EXPECT_THAT(pieces(first), ElementsAre("one"));
    reader.enter_next_file();
    EXPECT_THAT(pieces(second), ElementsAre("two", "three"));
}

TEST_F(Lines, end_where_the_next_file_begins_with_a_stamp)
{
    auto first = file("log.1", "2026-11-21T12:02:15.123456Z cut off");
    auto second = file("log", "2026-11-21T12:02:16.123456Z new\n");
    EXPECT_THAT(pieces(first), ElementsAre());
    reader.enter_next_file();
    EXPECT_THAT(pieces(second), ElementsAre("2026-11-21T12:02:15.123456Z cut off", "2026-11-21T12:02:16.123456Z new"));
}

TEST_F(Lines, are_found_again_after_a_seek_in_any_encoding)
{
    for (const char* name : {"log", "log.gz", "log.zst"}) {
        const std::string text = "one\ntwo\n";
        const std::string ending = name;
        auto log = file(name, ending.ends_with("gz") ? test::gzipped(text) : ending.ends_with("zst") ? test::zstandard(text) : text);
        for (int round = 0; round < 2; ++round) {
            ASSERT_TRUE(log.seek(4));
            reader = LineReader{};
            EXPECT_THAT(pieces(log), ElementsAre("two"));
        }
    }
}

}  // namespace
}  // namespace steward::log
