// Wrong and hostile service files, and exactly what is told of each. After a wanted change of wording:
// STEWARD_UPDATE_GOLDEN=1 unit-config --gtest_filter='Golden.*', then read the difference.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "helpers/scratch.hpp"
#include "loading.hpp"

namespace steward::config {
namespace {

const std::filesystem::path directory = STEWARD_SOURCE_ROOT "/tests/golden/config";

std::vector<std::string> wrong_files()
{
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.path().extension() == ".toml") names.push_back(entry.path().stem());
    }
    std::ranges::sort(names);
    return names;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, a_wrong_file_is_told_all_its_faults)
{
    const std::string file = GetParam() + ".toml";
    const std::string name = GetParam().ends_with('@') ? GetParam() + "1" : GetParam();
    const auto expected = directory / (GetParam() + ".expected");
    const std::string told = faults_of(test::content_of(directory / file), file, name);
    EXPECT_NE(told, "") << "it loads";
    if (std::getenv("STEWARD_UPDATE_GOLDEN") != nullptr) std::ofstream(expected, std::ios::binary) << told;
    EXPECT_EQ(told, test::content_of(expected));
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, testing::ValuesIn(wrong_files()), [](const testing::TestParamInfo<std::string>& file) {
    std::string name = file.param;
    std::ranges::replace_if(
        name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
});

}  // namespace
}  // namespace steward::config
