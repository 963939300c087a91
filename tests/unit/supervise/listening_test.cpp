#include "supervise/listening.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helpers/scratch.hpp"
#include "os/stream_socket.hpp"

namespace steward::supervise {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class ListeningTest : public testing::Test {
  protected:
    // A service with a Unix socket of each name.
    Assignment assignment(const std::vector<std::string>& names)
    {
        Assignment made;
        made.spec.name = "web";
        for (const std::string& name : names) made.spec.sockets.push_back({.listen = "unix://" + (scratch_ / name)});
        return made;
    }
    bool answers(const std::string& name) { return os::try_unix_connection(scratch_ / name).has_value(); }

    test::ScratchDirectory scratch_;
};

TEST_F(ListeningTest, opens_what_is_missing_and_leaves_the_rest)
{
    auto web = assignment({"a", "b"});
    ASSERT_TRUE(open_sockets(web));
    const int first = web.sockets[0].socket.get();
    web.sockets[1] = {};
    ASSERT_TRUE(open_sockets(web)) << "what nobody holds any more has left a file";
    EXPECT_EQ(web.sockets[0].socket.get(), first);
    EXPECT_TRUE(answers("a") && answers("b"));
}

TEST_F(ListeningTest, passes_them_on_from_descriptor_3_in_their_order)
{
    auto web = assignment({"a", "b"});
    ASSERT_TRUE(open_sockets(web));
    process::LaunchPlan plan;
    pass_sockets(web, plan);
    ASSERT_THAT(plan.passed, SizeIs(2));
    EXPECT_EQ(plan.passed[0].as, 3);
    EXPECT_EQ(plan.passed[0].fd.get(), web.sockets[0].socket.get());
    EXPECT_EQ(plan.passed[1].as, 4);
    EXPECT_EQ(plan.passed[1].fd.get(), web.sockets[1].socket.get());
}

TEST_F(ListeningTest, takes_what_is_offered_by_where_it_listens)
{
    auto before = assignment({"b", "other", "a"});
    ASSERT_TRUE(open_sockets(before));
    std::vector<os::UniqueFd> offered;
    for (HeldSocket& held : before.sockets) offered.push_back(std::move(held.socket));
    auto web = assignment({"a", "b", "new"});
    take_sockets(web, offered, SocketFiles::ours);
    EXPECT_THAT(offered, SizeIs(1));
    EXPECT_TRUE(web.sockets[0].socket && web.sockets[1].socket && !web.sockets[2].socket);
    EXPECT_TRUE(web.sockets[0].file);
    remove_socket_files(web);
    EXPECT_FALSE(answers("a") || answers("b"));
    EXPECT_TRUE(answers("other"));
}

TEST_F(ListeningTest, leaves_the_files_of_others)
{
    auto theirs = assignment({"a"});
    ASSERT_TRUE(open_sockets(theirs));
    std::vector<os::UniqueFd> offered;
    offered.push_back(std::move(theirs.sockets[0].socket));
    auto web = assignment({"a"});
    take_sockets(web, offered, SocketFiles::others);
    remove_socket_files(web);
    EXPECT_TRUE(answers("a"));
}

TEST_F(ListeningTest, does_not_take_one_that_nobody_can_find)
{
    auto before = assignment({"a"});
    ASSERT_TRUE(open_sockets(before));
    remove_socket_files(before);
    std::vector<os::UniqueFd> offered;
    offered.push_back(std::move(before.sockets[0].socket));
    auto web = assignment({"a"});
    take_sockets(web, offered, SocketFiles::ours);
    EXPECT_FALSE(web.sockets[0].socket);
    ASSERT_TRUE(open_sockets(web));
    EXPECT_TRUE(answers("a"));
}

TEST_F(ListeningTest, says_which_service_cannot_listen_and_why)
{
    auto web = assignment({"missing/a"});
    const auto opened = open_sockets(web);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message(), HasSubstr("cannot start web: cannot listen on '"));
    EXPECT_THAT(opened.error().message(), HasSubstr("missing/a': No such file or directory"));
}

TEST_F(ListeningTest, removes_what_the_killed_have_left_and_nothing_that_lives)
{
    auto dead = assignment({"dead"});
    auto alive = assignment({"alive"});
    ASSERT_TRUE(open_sockets(dead) && open_sockets(alive));
    dead.sockets.clear();
    remove_dead_sockets(assignment({"dead", "alive", "gone"}).spec);
    EXPECT_FALSE(os::socket_file_at(scratch_ / "dead"));
    EXPECT_TRUE(answers("alive"));
}

}  // namespace
}  // namespace steward::supervise
