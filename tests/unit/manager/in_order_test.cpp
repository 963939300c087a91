#include "manager/in_order.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <map>

#include "os/process.hpp"

namespace steward::manager {
namespace {

using testing::ElementsAre;

Piece of_pid(std::int64_t pid)
{
    return {.reply = {.error = {}, .main_pid = pid, .killed = false}};
}

class InOrder : public testing::Test {
  protected:
    InOrder()
    {
        work_.refusal = [](std::size_t) { return std::nullopt; };
        work_.act = [](std::size_t) { return of_pid(os::self_pid()); };
        work_.done = [this](std::size_t place, const Piece& piece) {
            order_.push_back(place);
            pieces_[place] = piece;
        };
    }
    Work work_;
    std::vector<std::size_t> order_;
    std::map<std::size_t, Piece> pieces_;
};

TEST_F(InOrder, each_comes_after_what_it_waits_for)
{
    work_.waits_for = {{1, 2}, {2}, {}, {0}};
    carry_out(work_);
    EXPECT_THAT(order_, ElementsAre(2, 1, 0, 3));
}

TEST_F(InOrder, one_alone_is_done_here_and_several_in_processes_of_their_own)
{
    work_.waits_for = {{}};
    carry_out(work_);
    EXPECT_EQ(pieces_[0].reply.main_pid, os::self_pid());

    work_.waits_for = {{}, {}};
    carry_out(work_);
    EXPECT_NE(pieces_[0].reply.main_pid, os::self_pid());
    EXPECT_NE(pieces_[0].reply.main_pid, pieces_[1].reply.main_pid);
}

TEST_F(InOrder, more_than_can_run_at_once_are_all_done)
{
    work_.waits_for.resize(150);
    carry_out(work_);
    EXPECT_EQ(order_.size(), 150U);
}

TEST_F(InOrder, what_came_of_it_comes_back_whole)
{
    work_.waits_for = {{}, {}};
    work_.act = [](std::size_t place) {
        if (place == 0)
            return Piece{
                .reply = {.error = {}, .main_pid = 7, .killed = true}, .already_running = true, .adopted = true, .was_running = true};
        return Piece{
            .reply = {
                .error = Error{.code = ErrorCode::exited_early, .operation = "start", .object = "web", .cause = "why", .detail = {"a"}},
                .main_pid = 0,
                .killed = false}};
    };
    carry_out(work_);
    EXPECT_TRUE(pieces_[0].already_running && pieces_[0].adopted && pieces_[0].was_running && pieces_[0].reply.killed);
    EXPECT_EQ(pieces_[1].reply.error->message(), "cannot start web: why");
    EXPECT_THAT(pieces_[1].reply.error->detail, ElementsAre("a"));
}

TEST_F(InOrder, what_is_refused_is_not_done_and_others_go_on)
{
    work_.waits_for = {{}, {0}, {1}};
    work_.refusal = [](std::size_t place) {
        return place == 1 ? std::optional(Error{.operation = "start", .object = "b", .cause = "no"}) : std::nullopt;
    };
    carry_out(work_);
    EXPECT_THAT(order_, ElementsAre(0, 1, 2));
    EXPECT_EQ(pieces_[1].reply.error->cause, "no");
    EXPECT_FALSE(pieces_[2].reply.error);
}

TEST_F(InOrder, one_that_dies_has_failed)
{
    work_.waits_for = {{}, {}};
    work_.act = [](std::size_t place) {
        if (place == 0) std::_Exit(3);
        return of_pid(1);
    };
    carry_out(work_);
    ASSERT_TRUE(pieces_[0].reply.error);
    EXPECT_FALSE(pieces_[1].reply.error);
}

}  // namespace
}  // namespace steward::manager
