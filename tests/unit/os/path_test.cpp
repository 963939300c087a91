#include <gtest/gtest.h>
#include <unistd.h>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/file.hpp"

namespace steward::os {
namespace {

TEST(Path, splits_into_parent_and_base)
{
    struct Case {
        const char *path, *parent, *base;
    };
    for (const auto& [path, parent, base] :
         {Case{"/a/b/c", "/a/b", "c"}, Case{"/a", "/", "a"}, Case{"/", "/", "/"}, Case{"a", ".", "a"}, Case{"a/b", "a", "b"},
          Case{"/a/b/", "/a", "b"}, Case{"//a//b//", "//a", "b"}, Case{"///", "/", "/"}}) {
        EXPECT_EQ(parent_of(path), parent) << path;
        EXPECT_EQ(base_of(path), base) << path;
    }
}

TEST(Path, is_made_absolute_against_the_current_directory)
{
    EXPECT_EQ(absolute("/a/../b"), "/a/../b");
    EXPECT_EQ(test::in_child([] { return chdir("/usr") == 0 && absolute("bin/x") == "/usr/bin/x" ? 0 : 1; }), 0);
    EXPECT_EQ(test::in_child([] { return chdir("/") == 0 && absolute("x") == "/x" ? 0 : 1; }), 0);
}

TEST(Path, stays_as_it_is_when_the_current_directory_has_gone)
{
    const test::ScratchDirectory scratch;
    EXPECT_EQ(test::in_child([&] {
                  const std::string gone = scratch / "gone";
                  std::filesystem::create_directory(gone);
                  if (chdir(gone.c_str()) != 0 || rmdir(gone.c_str()) != 0) return 2;
                  return absolute("x") == "x" ? 0 : 1;
              }),
              0);
}

}  // namespace
}  // namespace steward::os
