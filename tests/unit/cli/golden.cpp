#include "golden.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace steward::cli {

std::string source_file(const std::string& path)
{
    std::ifstream file(STEWARD_SOURCE_ROOT "/" + path);
    EXPECT_TRUE(file) << "cannot open " << path;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void expect_golden(const std::string& name, const std::string& text)
{
    const std::string path = "tests/golden/cli/" + name;
    if (std::getenv("STEWARD_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(STEWARD_SOURCE_ROOT "/" + path) << text;
    }
    EXPECT_EQ(source_file(path), text) << "in " << path;
}

}  // namespace steward::cli
