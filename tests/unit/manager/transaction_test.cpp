#include "manager/transaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "helpers/scratch.hpp"
#include "manager/manifest.hpp"

namespace steward::manager {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class TransactionTest : public testing::Test {
  protected:
    TransactionTest() : tree_(std::move(*os::Tree::open(scratch_.path())))
    {
        fs::create_directory(scratch_ / "state");
        fs::create_directory(scratch_ / "etc");
    }
    [[nodiscard]] Ledger ledger() const { return {tree_, "/state/web"}; }
    [[nodiscard]] Content now(const std::string& path) const { return content_at(tree_, path).value(); }
    static Result<void> nothing() { return {}; }

    test::ScratchDirectory scratch_;
    os::Tree tree_;
};

TEST_F(TransactionTest, a_journal_is_read_back_as_it_was_written)
{
    const std::vector<Step> steps{{.path = "/etc/a b", .before = {}, .after = Content::file("line\nend\nstep 1\n", 0755)},
                                  {.path = "/etc/link", .before = Content::link("/x"), .after = {}},
                                  {.path = "/etc/d", .before = {}, .after = Content::directory()}};
    const auto read = parse_journal(render_journal(steps), "journal");
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_EQ(read->size(), 3u);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        EXPECT_EQ((*read)[i].path, steps[i].path);
        EXPECT_TRUE((*read)[i].before.same(steps[i].before));
        EXPECT_TRUE((*read)[i].after.same(steps[i].after));
        EXPECT_EQ((*read)[i].after.mode, steps[i].after.mode);
    }
}

TEST_F(TransactionTest, what_is_no_journal_is_refused_and_never_read_beyond)
{
    const std::string whole = render_journal({{.path = "/etc/a", .before = {}, .after = Content::file("text", 0644)}});
    for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_FALSE(parse_journal(whole.substr(0, length), "journal"));
    EXPECT_FALSE(parse_journal(whole + "x", "journal"));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string changed = whole;
        changed[at] = '9';
        static_cast<void>(parse_journal(changed, "journal"));
    }
}

TEST_F(TransactionTest, what_is_done_leaves_no_journal)
{
    const auto done = ledger().carry_out({{.path = "/etc/d", .before = {}, .after = Content::directory()},
                                          {.path = "/etc/d/a", .before = {}, .after = Content::file("text", 0640)}},
                                         nothing);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(now("/etc/d/a").text, "text");
    EXPECT_EQ(now("/etc/d/a").mode, 0640u);
    EXPECT_FALSE(fs::exists(scratch_ / "state/web"));
}

TEST_F(TransactionTest, what_fails_in_the_middle_is_undone)
{
    scratch_.write("etc/old", "old");
    fs::create_symlink("target", scratch_ / "etc/link");
    const auto done = ledger().carry_out({{.path = "/etc/old", .before = now("/etc/old"), .after = Content::file("new", 0644)},
                                          {.path = "/etc/link", .before = now("/etc/link"), .after = {}},
                                          {.path = "/etc/d", .before = {}, .after = Content::directory()},
                                          {.path = "/none/a", .before = {}, .after = Content::file("text", 0644)}},
                                         nothing);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message(), HasSubstr("/none/a"));
    EXPECT_EQ(now("/etc/old").text, "old");
    EXPECT_EQ(now("/etc/link").text, "target");
    EXPECT_EQ(now("/etc/d").kind, Content::Kind::nothing);
    EXPECT_FALSE(fs::exists(scratch_ / "state/web"));
}

TEST_F(TransactionTest, what_the_init_system_refuses_is_undone)
{
    const auto done = ledger().carry_out({{.path = "/etc/a", .before = {}, .after = Content::file("text", 0644)}},
                                         [] { return Result<void>(fail(Error{.operation = "reload", .object = "systemd"})); });
    ASSERT_FALSE(done);
    EXPECT_EQ(now("/etc/a").kind, Content::Kind::nothing);
}

TEST_F(TransactionTest, what_somebody_changed_since_is_theirs)
{
    const std::vector<Step> steps{{.path = "/etc/a", .before = {}, .after = Content::file("ours", 0644)},
                                  {.path = "/etc/b", .before = {}, .after = Content::file("ours", 0644)}};
    fs::create_directory(scratch_ / "state/web");
    scratch_.write("state/web/journal", render_journal(steps));
    scratch_.write("etc/a", "ours");
    scratch_.write("etc/b", "the administrator's");
    EXPECT_TRUE(ledger().is_interrupted().value());
    EXPECT_TRUE(ledger().recover().value());
    EXPECT_FALSE(ledger().recover().value());
    EXPECT_EQ(now("/etc/a").kind, Content::Kind::nothing);
    EXPECT_EQ(now("/etc/b").text, "the administrator's");
    EXPECT_FALSE(fs::exists(scratch_ / "state/web"));
}

TEST_F(TransactionTest, an_update_keeps_mode_and_owner)
{
    scratch_.write("etc/old", "old");
    fs::permissions(scratch_ / "etc/old", fs::perms(0600));
    ASSERT_TRUE(ledger().carry_out({{.path = "/etc/old", .before = now("/etc/old"), .after = Content::file("new", 0755)}}, nothing));
    EXPECT_EQ(now("/etc/old").text, "new");
    EXPECT_EQ(now("/etc/old").mode, 0600u);
}

TEST_F(TransactionTest, a_directory_with_others_files_stays)
{
    fs::create_directory(scratch_ / "etc/d");
    scratch_.write("etc/d/theirs", "x");
    ASSERT_TRUE(ledger().carry_out({{.path = "/etc/d", .before = now("/etc/d"), .after = {}}}, nothing));
    EXPECT_TRUE(fs::exists(scratch_ / "etc/d/theirs"));
}

TEST_F(TransactionTest, a_manifest_is_read_back_as_it_was_written)
{
    const Manifest manifest{.system = InitSystem::openrc,
                            .entries = {{.kind = Content::Kind::directory, .path = "/etc/init.d", .hash = ""},
                                        {.kind = Content::Kind::file, .path = "/etc/init.d/web", .hash = hash_of("text")},
                                        {.kind = Content::Kind::link, .path = "/etc/runlevels/default/web", .hash = hash_of("/x")}}};
    const auto read = parse_manifest(render_manifest(manifest), "manifest");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, manifest);
    EXPECT_EQ(parse_manifest(render_manifest({}), "manifest").value(), Manifest{});
}

TEST_F(TransactionTest, what_is_no_manifest_is_refused)
{
    for (const char* text : {"", "steward manifest 1\n", "steward manifest 2\nend\n", "steward manifest 1\nsystem\tupstart\nend\n",
                             "steward manifest 1\nfile\t12\trelative\nend\n", "steward manifest 1\nrubbish\nend\n"})
        EXPECT_FALSE(parse_manifest(text, "manifest")) << text;
}

TEST_F(TransactionTest, directories_are_missing_from_the_first_that_is_not_there)
{
    EXPECT_THAT(missing_directories(tree_, "/etc/a/b").value(), UnorderedElementsAre("/etc/a", "/etc/a/b"));
    EXPECT_THAT(missing_directories(tree_, "/etc").value(), testing::IsEmpty());
}

}  // namespace
}  // namespace steward::manager
