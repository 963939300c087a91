// Service files on disk: what is read, what is refused before it is read, and how a change is noticed.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "loading.hpp"

namespace steward::config {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class Files : public testing::Test {
  protected:
    // The one fault of a file that cannot be read, and its error.
    Error refusal(const std::string& path)
    {
        const auto loaded = load({"web", path, {}});
        if (loaded) {
            ADD_FAILURE() << path << " was loaded";
            return {};
        }
        EXPECT_THAT(loaded.error().diagnostics, SizeIs(1));
        EXPECT_EQ(loaded.error().diagnostics.at(0).file, path);
        EXPECT_EQ(loaded.error().diagnostics.at(0).line, 0U);
        EXPECT_THAT(loaded.error().diagnostics.at(0).message, HasSubstr(loaded.error().cause));
        return loaded.error();
    }

    test::ScratchDirectory directory;
    static constexpr uid_t nobody = 65534;
};

TEST_F(Files, a_file_is_loaded_with_its_stamp)
{
    const std::string path = directory.write("web.toml", with(""));
    const auto loaded = load({"web", path, {}});
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_EQ(loaded->spec.name, "web");
    EXPECT_EQ(loaded->files, *stamp({"web", path, {}}));
    EXPECT_EQ(shown(loaded->keys, "service.command"), "[\"/bin/true\"]");
}

TEST_F(Files, a_missing_file_says_so)
{
    const Error error = refusal(directory / "web.toml");
    EXPECT_EQ(error.code, ErrorCode::invalid_service_file);
    EXPECT_EQ(error.os_errno, ENOENT);
    EXPECT_THAT(error.message(), HasSubstr("No such file or directory"));
}

TEST_F(Files, what_is_no_plain_file_is_refused_without_waiting)
{
    EXPECT_THAT(refusal(directory.path()).cause, HasSubstr("not a regular file"));
    ASSERT_EQ(mkfifo((directory / "fifo.toml").c_str(), 0600), 0);
    EXPECT_THAT(refusal(directory / "fifo.toml").cause, HasSubstr("not a regular file"));
}

TEST_F(Files, more_than_a_mebibyte_is_refused)
{
    EXPECT_THAT(refusal(directory.write("big.toml", std::string(1024 * 1024 + 1, '#'))).cause, HasSubstr("larger than 1 MiB"));
    const auto text = load_text(std::string(1024 * 1024 + 1, '#'), "big.toml", "web");
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, ErrorCode::invalid_service_file);
}

TEST_F(Files, an_unreadable_file_is_not_permitted)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs to become another user";
    const std::string path = directory.write("web.toml", with(""));
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    ASSERT_EQ(chmod(directory.path().c_str(), 0755), 0);
    EXPECT_EQ(test::in_child([&] {
                  if (setgroups(0, nullptr) != 0 || setresgid(nobody, nobody, nobody) != 0 || setresuid(nobody, nobody, nobody) != 0)
                      return 90;
                  const auto loaded = load({"web", path, {}});
                  if (loaded) return 91;
                  return loaded.error().code == ErrorCode::not_permitted && loaded.error().os_errno == EACCES &&
                                 loaded.error().diagnostics.size() == 1
                             ? 0
                             : 92;
              }),
              0);
}

TEST_F(Files, root_does_not_believe_what_others_can_write)
{
    if (geteuid() != 0) GTEST_SKIP() << "a rule for root";
    const std::string path = directory.write("web.toml", with(""));
    ASSERT_EQ(chmod(path.c_str(), 0664), 0);
    EXPECT_THAT(refusal(path).cause, HasSubstr("can be written by other users"));

    ASSERT_EQ(chmod(path.c_str(), 0644), 0);
    ASSERT_EQ(chown(path.c_str(), nobody, nobody), 0);
    EXPECT_THAT(refusal(path).cause, HasSubstr("belongs to another user"));

    ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
    ASSERT_TRUE(load({"web", path, {}}));
    ASSERT_EQ(chmod(directory.path().c_str(), 01777), 0);
    EXPECT_THAT(refusal(path).cause, HasSubstr("can be written by every user"));
    ASSERT_EQ(chmod(directory.path().c_str(), 0755), 0);
    ASSERT_EQ(chown(directory.path().c_str(), nobody, nobody), 0);
    EXPECT_THAT(refusal(path).cause, HasSubstr("its directory"));
}

TEST_F(Files, root_does_not_believe_an_override_that_others_can_write)
{
    if (geteuid() != 0) GTEST_SKIP() << "a rule for root";
    const Sources sources{"web", directory.write("web.toml", with("")), {directory.write("50.toml", "[service]\nuser = \"x\"")}};
    ASSERT_EQ(chmod(sources.overrides[0].c_str(), 0666), 0);
    const auto loaded = load(sources);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().diagnostics.at(0).file, sources.overrides[0]);
}

TEST_F(Files, another_user_reads_what_he_likes)
{
    if (geteuid() != 0) GTEST_SKIP() << "needs to become another user";
    const std::string path = directory.write("web.toml", with(""));
    ASSERT_EQ(chmod(path.c_str(), 0666), 0);
    ASSERT_EQ(chmod(directory.path().c_str(), 0777), 0);
    EXPECT_EQ(test::in_child([&] {
                  if (setgroups(0, nullptr) != 0 || setresgid(nobody, nobody, nobody) != 0 || setresuid(nobody, nobody, nobody) != 0)
                      return 90;
                  return load({"web", path, {}}) ? 0 : 91;
              }),
              0);
}

TEST_F(Files, a_change_shows_in_the_digest_without_parsing)
{
    const Sources sources{"web", directory.write("web.toml", with("")), {}};
    const auto before = stamp(sources);
    ASSERT_TRUE(before);
    EXPECT_EQ(digest(*before), digest(*stamp(sources)));
    directory.write("web.toml", with("user = \"x\"") + "not even TOML");
    EXPECT_NE(digest(*before), digest(*stamp(sources)));

    Sources with_override = sources;
    with_override.overrides.push_back(directory.write("50.toml", ""));
    EXPECT_NE(digest(*stamp(sources)), digest(*stamp(with_override)));
}

TEST_F(Files, every_part_of_a_stamp_counts_in_the_digest)
{
    const FileStamp stamp{"/a", 1, 2, 3, 4};
    EXPECT_EQ(digest({}), 0xcbf29ce484222325ULL);
    for (const FileStamp& other : {FileStamp{"/b", 1, 2, 3, 4}, FileStamp{"/a", 9, 2, 3, 4}, FileStamp{"/a", 1, 9, 3, 4},
                                   FileStamp{"/a", 1, 2, 9, 4}, FileStamp{"/a", 1, 2, 3, 9}}) {
        EXPECT_NE(digest({stamp}), digest({other}));
    }
    EXPECT_NE(digest({stamp}), digest({stamp, stamp}));
}

TEST_F(Files, a_stamp_of_a_missing_file_is_an_error)
{
    const auto stamps = stamp({"web", directory / "web.toml", {}});
    ASSERT_FALSE(stamps);
    EXPECT_EQ(stamps.error().os_errno, ENOENT);
}

}  // namespace
}  // namespace steward::config
