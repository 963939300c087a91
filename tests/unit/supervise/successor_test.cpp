#include "supervise/successor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>

namespace steward::supervise {
namespace {

using Words = std::vector<std::string>;

TEST(Successor, says_what_its_counterpart_reads)
{
    auto channel = os::make_message_pair();
    auto more = os::make_pipe();
    ASSERT_TRUE(channel && more);
    Assignment assignment;
    assignment.spec.name = "worker@1";
    assignment.output.system_scope = false;
    const Successor successor(assignment, *channel);
    EXPECT_FALSE(successor.program().empty());
    const Words& check = successor.check_words();
    EXPECT_EQ(check, (Words{"steward", "--carry-on", "check", "user", "worker@1"}));
    const auto read = parse_succession(std::span(check).subspan(1));
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->check);
    EXPECT_FALSE(read->system_scope);
    EXPECT_EQ(read->name, "worker@1");
}

TEST(Successor, takes_the_descriptors_that_are_named)
{
    auto channel = os::make_message_pair();
    auto locks = os::make_pipe();
    ASSERT_TRUE(channel && locks);
    auto fifos = os::make_pipe();
    auto others = os::make_pipe();
    ASSERT_TRUE(fifos && others);
    Words words{"--carry-on", "keep", "system", "web"};
    for (os::UniqueFd* fd : {&channel->read, &channel->write, &locks->read, &locks->write}) words.push_back(std::to_string(fd->release()));
    words.push_back("stdout=" + std::to_string(fifos->read.release()));
    words.push_back("stderr=" + std::to_string(fifos->write.release()));
    words.push_back("notify=" + std::to_string(others->read.release()));
    const auto sockets = os::make_message_pair();
    ASSERT_TRUE(sockets);
    const std::array given{os::duplicate(sockets->read)->release(), os::duplicate(sockets->write)->release()};
    for (const int socket : given) words.push_back("socket=" + std::to_string(socket));
    const int unknown = others->write.release();
    words.push_back("of-the-future=" + std::to_string(unknown));
    const auto taken = parse_succession(words);
    ASSERT_TRUE(taken);
    EXPECT_FALSE(taken->check);
    EXPECT_TRUE(taken->system_scope);
    EXPECT_EQ(std::to_string(taken->notices.read.get()), words[4]);
    EXPECT_EQ(std::to_string(taken->notices.write.get()), words[5]);
    EXPECT_EQ(std::to_string(taken->lease.get()), words[6]);
    EXPECT_EQ(std::to_string(taken->control.get()), words[7]);
    EXPECT_EQ("stdout=" + std::to_string(taken->fifos.out.get()), words[8]);
    EXPECT_EQ("stderr=" + std::to_string(taken->fifos.err.get()), words[9]);
    EXPECT_EQ("notify=" + std::to_string(taken->notify.get()), words[10]);
    ASSERT_EQ(taken->sockets.size(), 2U);
    EXPECT_EQ(taken->sockets[0].get(), given[0]);
    EXPECT_EQ(taken->sockets[1].get(), given[1]);
    EXPECT_LT(fcntl(unknown, F_GETFD), 0) << "nobody would ever close it";
}

TEST(Successor, understands_nothing_else)
{
    for (const Words& words : std::vector<Words>{{},
                                                 {"--carry-on"},
                                                 {"--carry-on", "check", "system"},
                                                 {"--carry-on", "check", "system", ""},
                                                 {"--carry-on", "check", "here", "web"},
                                                 {"--carry-on", "check", "system", "web", "more"},
                                                 {"--carry-on", "keep", "system", "web"},
                                                 {"--carry-on", "keep", "system", "web", "3", "4", "5"},
                                                 {"--carry-on", "keep", "system", "web", "3", "4", "5", "5"},
                                                 {"--carry-on", "keep", "system", "web", "0", "1", "2", "3"},
                                                 {"--carry-on", "keep", "system", "web", "90", "91", "92", "93", "94"},
                                                 {"--carry-on", "keep", "system", "web", "90", "91", "92", "notify=93"},
                                                 {"--carry-on", "keep", "system", "web", "90", "91", "92", "93", "notify=93"},
                                                 {"--carry-on", "keep", "system", "web", "3", "4", "5", "6x"},
                                                 {"--carry-on", "keep", "system", "web", "-1", "-1", "-1", "-1"},
                                                 {"--other", "check", "system", "web"}}) {
        EXPECT_FALSE(parse_succession(words)) << words.size();
    }
}

}  // namespace
}  // namespace steward::supervise
