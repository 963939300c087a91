#include "log/log_chain.hpp"

#include <array>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressed.hpp"
#include "helpers/scratch.hpp"

namespace steward::log {
namespace {

using testing::ElementsAre;
namespace fs = std::filesystem;

TEST(RotatedNames, come_newest_first)
{
    EXPECT_THAT(rotated_names("web.log", {"web.log", "web.log.1", "web.log.10.gz", "web.log.2.zst", "web.log.3.gz"}),
                ElementsAre("web.log.1", "web.log.2.zst", "web.log.3.gz", "web.log.10.gz"));
    EXPECT_THAT(rotated_names("web.log", {"web.log-20261119.gz", "web.log-20261121", "web.log-20261120.gz"}),
                ElementsAre("web.log-20261121", "web.log-20261120.gz", "web.log-20261119.gz"));
}

TEST(RotatedNames, are_no_other_files)
{
    EXPECT_THAT(rotated_names("web.log", {"web.log.tmp", "web.log.1.gz.tmp", "web.log.1x", "web.log.", "web.log1", "other.log.1",
                                          "web.log.bak", "web.log-", "web.log.1.2"}),
                ElementsAre());
}

TEST(RotatedNames, leave_out_a_copy_that_may_be_half_compressed)
{
    EXPECT_THAT(rotated_names("web.log", {"web.log.1", "web.log.1.gz"}), ElementsAre("web.log.1"));
}

class Chain : public testing::Test {
  protected:
    [[nodiscard]] std::string path() const { return scratch / "web.log"; }
    void rotate(int count) const
    {
        for (int number = count; number > 0; --number) {
            const std::string from = number == 1 ? path() : path() + "." + std::to_string(number - 1);
            if (fs::exists(from)) fs::rename(from, path() + "." + std::to_string(number));
        }
    }
    // What the files that are open hold, oldest first.
    std::vector<std::string> contents()
    {
        std::vector<std::string> result;
        for (ChainFile& each : chain.files()) {
            std::array<char, 100> bytes{};
            EXPECT_TRUE(each.file.seek(0));
            const auto got = each.file.read(bytes);
            result.emplace_back(bytes.data(), got.value_or(0));
        }
        return result;
    }

    test::ScratchDirectory scratch;
    LogChain chain{path()};
};

TEST_F(Chain, holds_all_files_oldest_first)
{
    scratch.write("web.log", "three");
    scratch.write("web.log.1", "two");
    scratch.write("web.log.2.gz", test::gzipped("one"));
    scratch.write("web.log.3.zst", test::zstandard("zero"));
    EXPECT_TRUE(chain.refresh().value());
    EXPECT_THAT(contents(), ElementsAre("zero", "one", "two", "three"));
    EXPECT_FALSE(chain.refresh().value());
}

TEST_F(Chain, is_empty_where_there_is_no_log)
{
    EXPECT_FALSE(chain.refresh().value());
    EXPECT_FALSE(LogChain(scratch / "none/web.log").refresh().value());
}

TEST_F(Chain, takes_in_what_several_rotations_have_made)
{
    scratch.write("web.log", "one");
    ASSERT_TRUE(chain.refresh().value());
    rotate(3);
    scratch.write("web.log", "two");
    rotate(3);
    scratch.write("web.log", "three");
    EXPECT_TRUE(chain.refresh().value());
    EXPECT_THAT(contents(), ElementsAre("one", "two", "three"));
    EXPECT_FALSE(chain.take_gap());
}

TEST_F(Chain, knows_its_last_file_again_when_it_was_compressed)
{
    scratch.write("web.log", "one");
    ASSERT_TRUE(chain.refresh().value());
    scratch.write("web.log.1.gz", test::gzipped("one"));
    fs::remove(path());
    scratch.write("web.log", "two");
    EXPECT_TRUE(chain.refresh().value());
    EXPECT_THAT(contents(), ElementsAre("one", "two"));
    EXPECT_FALSE(chain.take_gap());
}

TEST_F(Chain, knows_a_file_again_that_grew_when_it_was_no_longer_the_newest)
{
    scratch.write("web.log", "");
    rotate(1);
    scratch.write("web.log", "two");
    ASSERT_TRUE(chain.refresh().value());
    std::ofstream(path() + ".1") << "one";
    ASSERT_FALSE(chain.refresh().value());
    chain.files().pop_front();
    fs::remove(path());
    fs::remove(path() + ".1");
    scratch.write("web.log.1.gz", test::gzipped("one"));
    scratch.write("web.log", "three");
    EXPECT_TRUE(chain.refresh().value());
    EXPECT_THAT(contents(), ElementsAre("two", "three"));
    EXPECT_FALSE(chain.take_gap());
}

TEST_F(Chain, tells_a_gap_when_files_went_before_they_were_seen)
{
    scratch.write("web.log", "one");
    ASSERT_TRUE(chain.refresh().value());
    for (const char* text : {"two", "three", "four", "five"}) {
        rotate(2);
        scratch.write("web.log", text);
    }
    EXPECT_TRUE(chain.refresh().value());
    EXPECT_THAT(contents(), ElementsAre("one", "three", "four", "five"));
    EXPECT_TRUE(chain.take_gap());
    EXPECT_FALSE(chain.take_gap());
}

TEST_F(Chain, does_not_read_rotated_files_again_when_the_log_was_removed)
{
    scratch.write("web.log.1", "one");
    scratch.write("web.log", "two");
    ASSERT_TRUE(chain.refresh().value());
    fs::remove(path());
    scratch.write("web.log", "three");
    EXPECT_TRUE(chain.refresh().value());
    EXPECT_THAT(contents(), ElementsAre("one", "two", "three"));
}

TEST_F(Chain, leaves_out_what_is_older_than_wanted_but_never_the_log_itself)
{
    scratch.write("web.log", "two");
    scratch.write("web.log.1", "one");
    const auto old = fs::file_time_type::clock::now() - std::chrono::hours(2);
    fs::last_write_time(path(), old);
    fs::last_write_time(path() + ".1", old);
    EXPECT_TRUE(chain.refresh(std::chrono::system_clock::now() - std::chrono::hours(1)).value());
    EXPECT_THAT(contents(), ElementsAre("two"));
}

TEST_F(Chain, refuses_links_and_what_is_no_file)
{
    scratch.write("target", "secret");
    fs::create_symlink(scratch / "target", path());
    EXPECT_FALSE(chain.refresh());
    fs::remove(path());
    fs::create_directory(path());
    const auto opened = chain.refresh();
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message(), testing::HasSubstr("it is not a regular file"));
}

}  // namespace
}  // namespace steward::log
