#include "log/rotation.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <map>

#include "helpers/scratch.hpp"

namespace steward::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class Rotation : public testing::Test {
  protected:
    void SetUp() override { directory_ = os::open_trusted(scratch_.path(), {.directory = true}).value(); }

    void rotate(const std::string& content, const RotationRules& rules)
    {
        scratch_.write("web.log", content);
        const auto rotated = rotate_files(directory_, "web.log", content.size(), rules);
        ASSERT_TRUE(rotated) << rotated.error().message();
    }
    // Name behind "web.log" → content.
    [[nodiscard]] std::map<std::string, std::string> files() const
    {
        std::map<std::string, std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) {
            const std::string name = entry.path().filename();
            found[name.substr(std::string("web.log").size())] = test::content_of(entry.path());
        }
        return found;
    }

    test::ScratchDirectory scratch_;
    os::UniqueFd directory_;
};

TEST_F(Rotation, moves_each_file_on_and_keeps_so_many)
{
    for (const char* content : {"a", "b", "c", "d"}) rotate(content, {.max_size = 0, .keep = 3});
    EXPECT_THAT(files(), ElementsAre(Pair(".1", "d"), Pair(".2", "c"), Pair(".3", "b")));
    rotate("e", {.max_size = 0, .keep = 1});
    EXPECT_THAT(files(), ElementsAre(Pair(".1", "e")));
    rotate("f", {.max_size = 0, .keep = 0});
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Rotation, moves_compressed_files_too_and_nothing_else)
{
    for (const char* name : {"web.log.1", "web.log.2.gz", "web.log.3.zst", "web.log.4.bz2", "web.log-20261121", "web.logs"}) {
        scratch_.write(name, name);
    }
    rotate("x", {.max_size = 0, .keep = 9});
    EXPECT_THAT(files(),
                ElementsAre(Pair("-20261121", "web.log-20261121"), Pair(".1", "x"), Pair(".2", "web.log.1"), Pair(".3.gz", "web.log.2.gz"),
                            Pair(".4.bz2", "web.log.4.bz2"), Pair(".4.zst", "web.log.3.zst"), Pair("s", "web.logs")));
}

TEST_F(Rotation, closes_the_gap_that_one_cut_short_has_left)
{
    for (const char* name : {"web.log.1", "web.log.2", "web.log.4", "web.log.5"}) scratch_.write(name, name);
    rotate("x", {.max_size = 0, .keep = 9});
    EXPECT_THAT(files(), ElementsAre(Pair(".1", "x"), Pair(".2", "web.log.1"), Pair(".3", "web.log.2"), Pair(".4", "web.log.4"),
                                     Pair(".5", "web.log.5")));
}

TEST_F(Rotation, removes_the_oldest_for_the_sum_of_all)
{
    const RotationRules rules{.max_size = 10, .keep = 9, .max_total = 30};
    for (const char* content : {"aaaaaaaaaa", "bbbbbbb", "ccc", "dddd"}) rotate(content, rules);
    // With a full log of 10 that is 24, and with the oldest one 34.
    EXPECT_THAT(files(), ElementsAre(Pair(".1", "dddd"), Pair(".2", "ccc"), Pair(".3", "bbbbbbb")));
    rotate("eeeeeeeeeeeeeeeeeeeee", rules);
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Rotation, a_file_beside_its_compressed_copy_is_the_whole_one)
{
    for (const char* name : {"web.log.1", "web.log.2", "web.log.2.gz", "web.log.3.gz", "web.log.packing"}) scratch_.write(name, name);
    ASSERT_TRUE(tidy_rotated(directory_, "web.log"));
    EXPECT_THAT(files(), ElementsAre(Pair(".1", "web.log.1"), Pair(".2", "web.log.2"), Pair(".3.gz", "web.log.3.gz")));
}

}  // namespace
}  // namespace steward::log
