#include "process/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "launching.hpp"

namespace steward::process {
namespace {

using test::ScratchDirectory;
using testing::EndsWith;
using testing::HasSubstr;

constexpr uid_t somebody = 65534;

class FindProgram : public testing::Test {
  protected:
    // An executable, its directory made too; returns its path.
    std::string program(const std::string& name, mode_t mode = 0755)
    {
        std::filesystem::create_directories(std::filesystem::path(scratch_ / name).parent_path());
        const auto path = scratch_.write(name, "#!/bin/sh\n");
        chmod(path.c_str(), mode);
        return path;
    }
    [[nodiscard]] std::string path_of(std::initializer_list<const char*> directories) const
    {
        std::string path;
        for (const char* directory : directories) path += (path.empty() ? "" : ":") + (scratch_ / directory);
        return path;
    }
    static std::string fault(const Result<std::string>& found) { return found ? "" : found.error().message(); }

    ScratchDirectory scratch_;
};

TEST_F(FindProgram, takes_an_absolute_path_as_it_is)
{
    const auto path = program("bin/web");
    EXPECT_EQ(*find_program(path, {.path = "/bin", .working_directory = "/"}), path);
}

TEST_F(FindProgram, takes_a_relative_path_from_the_working_directory)
{
    const auto path = program("bin/web");
    EXPECT_EQ(*find_program("bin/web", {.path = "/bin", .working_directory = scratch_.path()}), path);
    EXPECT_EQ(*find_program("bin/web", {.path = "/bin", .working_directory = scratch_.path() + "/"}), path);
}

TEST_F(FindProgram, searches_the_path_in_its_order)
{
    const auto first = program("a/web");
    program("b/web");
    EXPECT_EQ(*find_program("web", {.path = path_of({"none", "a", "b"}), .working_directory = "/"}), first);
}

TEST_F(FindProgram, passes_over_what_cannot_be_executed)
{
    program("a/web", 0644);
    std::filesystem::create_directories(scratch_ / "b/web");
    const auto third = program("c/web");
    EXPECT_EQ(*find_program("web", {.path = path_of({"a", "b", "c"}), .working_directory = "/"}), third);
}

TEST_F(FindProgram, never_looks_in_the_current_directory)
{
    program("web");
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(scratch_.path());
    for (const char* path : {"", ":", ".", "::/none", "/none:", "none:."}) {
        EXPECT_FALSE(find_program("web", {.path = path, .working_directory = scratch_.path()})) << path;
    }
    std::filesystem::current_path(before);
}

TEST_F(FindProgram, names_what_is_missing)
{
    const auto path = scratch_ / "none";
    const auto found = find_program(path, {.path = "/bin", .working_directory = "/"});
    EXPECT_EQ(fault(found), "cannot execute '" + path + "': No such file or directory");
    EXPECT_EQ(found.error().code, ErrorCode::program_missing);
    EXPECT_EQ(found.error().os_errno, ENOENT);
}

TEST_F(FindProgram, names_the_path_that_it_searched)
{
    const auto found = find_program("web", {.path = "/none/a:/none/b", .working_directory = "/"});
    EXPECT_EQ(fault(found), "cannot execute 'web': not found in /none/a:/none/b");
    EXPECT_EQ(found.error().code, ErrorCode::program_missing);
    EXPECT_THAT(fault(find_program("web", {.path = "", .working_directory = "/"})), EndsWith("not found in an empty PATH"));
}

TEST_F(FindProgram, says_that_a_file_is_not_executable)
{
    const auto path = program("a/web", 0644);
    EXPECT_EQ(fault(find_program(path, {.path = "/bin", .working_directory = "/"})), "cannot execute '" + path + "': Permission denied");
    const auto searched = find_program("web", {.path = path_of({"a"}), .working_directory = "/"});
    EXPECT_EQ(fault(searched), "cannot execute '" + path + "': Permission denied");
    EXPECT_EQ(searched.error().code, ErrorCode::program_missing);
}

TEST_F(FindProgram, says_that_a_directory_is_no_program)
{
    EXPECT_EQ(fault(find_program(scratch_.path(), {.path = "/bin", .working_directory = "/"})),
              "cannot execute '" + scratch_.path() + "': Is a directory");
}

TEST_F(FindProgram, searches_below_the_root_directory)
{
    program("usr/bin/web");
    EXPECT_EQ(*find_program("web", {.path = "/bin:/usr/bin", .working_directory = "/", .root_directory = scratch_.path()}), "/usr/bin/web");
    EXPECT_EQ(*find_program("/usr/bin/web", {.path = "/bin", .working_directory = "/", .root_directory = scratch_.path()}), "/usr/bin/web");
    EXPECT_FALSE(find_program("/bin/sh", {.path = "/bin", .working_directory = "/", .root_directory = scratch_.path()}));
}

TEST_F(FindProgram, follows_links_as_they_lead_below_the_root_directory)
{
    program("usr/bin/web");
    std::filesystem::create_symlink("usr/bin", scratch_ / "bin");
    std::filesystem::create_symlink("/usr/bin", scratch_ / "sbin");
    std::filesystem::create_symlink("../../../../usr/bin/web", scratch_ / "usr/bin/escape");
    std::filesystem::create_symlink("/bin/sh", scratch_ / "usr/bin/host");
    std::filesystem::create_symlink("loop", scratch_ / "usr/bin/loop");
    const ProgramSearch below{.path = "/sbin", .working_directory = "/", .root_directory = scratch_.path()};
    EXPECT_EQ(*find_program("web", below), "/sbin/web");
    EXPECT_EQ(*find_program("/bin/web", below), "/bin/web");
    EXPECT_EQ(*find_program("/bin/escape", below), "/bin/escape");
    EXPECT_EQ(outside_of_root(scratch_.path(), "/bin/escape"), scratch_ / "usr/bin/web");
    EXPECT_FALSE(find_program("/bin/host", below));
    EXPECT_FALSE(find_program("/bin/loop", below));
}

TEST(OutsideOfRoot, is_the_path_itself_without_a_root)
{
    EXPECT_EQ(outside_of_root("", "/bin/sh"), "/bin/sh");
    EXPECT_EQ(outside_of_root("/", "/bin/sh"), "/bin/sh");
}

class OnlyRootCanChange : public FindProgram {
  protected:
    void SetUp() override
    {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
    }
    static std::string judged(const std::string& path)
    {
        const auto judgement = require_only_root_can_change(path);
        if (judgement) return "";
        EXPECT_EQ(judgement.error().code, ErrorCode::not_permitted);
        return judgement.error().cause;
    }
};

TEST_F(OnlyRootCanChange, accepts_what_belongs_to_root_all_the_way)
{
    EXPECT_EQ(judged(program("bin/web")), "");
    EXPECT_EQ(judged("/bin/sh"), "");
}

TEST_F(OnlyRootCanChange, refuses_a_file_of_another_user)
{
    const auto path = program("bin/web");
    ASSERT_EQ(chown(path.c_str(), somebody, 0), 0);
    EXPECT_EQ(judged(path), "'" + path + "' belongs to user nobody");
}

TEST_F(OnlyRootCanChange, refuses_a_file_that_others_can_write)
{
    EXPECT_THAT(judged(program("bin/web", 0757)), EndsWith("can be written by every user"));
}

TEST_F(OnlyRootCanChange, refuses_a_file_that_a_group_can_write_but_for_roots)
{
    const auto path = program("bin/web", 0775);
    EXPECT_EQ(judged(path), "");
    ASSERT_EQ(chown(path.c_str(), 0, somebody), 0);
    EXPECT_THAT(judged(path), EndsWith("can be written by group 65534"));
}

TEST_F(OnlyRootCanChange, refuses_a_directory_of_another_user)
{
    const auto path = program("bin/web");
    ASSERT_EQ(chown((scratch_ / "bin").c_str(), somebody, 0), 0);
    EXPECT_THAT(judged(path), HasSubstr("'" + (scratch_ / "bin") + "' belongs to user nobody"));
}

TEST_F(OnlyRootCanChange, refuses_a_directory_further_up_that_others_can_write)
{
    const auto path = program("a/b/c/web");
    chmod((scratch_ / "a").c_str(), 0777);
    EXPECT_THAT(judged(path), HasSubstr("'" + (scratch_ / "a") + "' can be written by every user"));
}

TEST_F(OnlyRootCanChange, accepts_a_file_of_roots_in_a_sticky_directory_of_roots)
{
    const auto path = program("tmp/web");
    chmod((scratch_ / "tmp").c_str(), 01777);
    EXPECT_EQ(judged(path), "");
    ASSERT_EQ(chown(path.c_str(), somebody, 0), 0);
    EXPECT_NE(judged(path), "");
}

TEST_F(OnlyRootCanChange, refuses_what_a_link_of_another_directory_leads_to)
{
    const auto path = program("safe/web");
    std::filesystem::create_directories(scratch_ / "unsafe");
    std::filesystem::create_symlink(path, scratch_ / "unsafe/link");
    std::filesystem::create_symlink(scratch_ / "safe", scratch_ / "unsafe/directory");
    EXPECT_EQ(judged(scratch_ / "unsafe/link"), "");
    EXPECT_EQ(judged(scratch_ / "unsafe/directory/web"), "");
    chmod((scratch_ / "unsafe").c_str(), 0777);
    EXPECT_NE(judged(scratch_ / "unsafe/link"), "");
    EXPECT_NE(judged(scratch_ / "unsafe/directory/web"), "");
}

TEST_F(OnlyRootCanChange, refuses_where_a_safe_link_leads)
{
    const auto path = program("unsafe/web");
    chmod((scratch_ / "unsafe").c_str(), 0777);
    std::filesystem::create_directories(scratch_ / "safe");
    std::filesystem::create_symlink("../unsafe/web", scratch_ / "safe/link");
    EXPECT_THAT(judged(scratch_ / "safe/link"), HasSubstr("can be written by every user"));
}

TEST_F(OnlyRootCanChange, leaves_a_file_that_has_gone_to_exec)
{
    EXPECT_EQ(judged(scratch_ / "none"), "");
}

TEST_F(FindProgram, an_interpreter_that_is_missing_is_named)
{
    const auto path = scratch_.write("script", "#! /none/python3 -u\n");
    EXPECT_EQ(why_not_executed(path, ENOENT), "its interpreter '/none/python3' is missing");
    EXPECT_EQ(why_not_executed(scratch_ / "none", ENOENT), "No such file or directory");
    EXPECT_EQ(why_not_executed(path, EACCES), "Permission denied");
    EXPECT_EQ(why_not_executed(scratch_.write("elf",
                                              "\x7f"
                                              "ELF"),
                               ENOENT),
              "the loader that it asks for is missing");
}

}  // namespace
}  // namespace steward::process
