#include "supervise/client.hpp"

#include <sys/socket.h>

#include "os/message_socket.hpp"
#include "supervising.hpp"
#include "unit/os/test_child.hpp"

namespace steward::supervise {
namespace {

using namespace std::chrono_literals;

class Client : public testing::Test {
  protected:
    void SetUp() override
    {
        auto made = record::ServiceDirectory::create(scratch_.path(), "web");
        ASSERT_TRUE(made) << made.error().message();
        directory_.emplace(std::move(*made));
    }
    void listen()
    {
        auto listening = os::listen_messages(directory_->directory(), "control", 0600);
        ASSERT_TRUE(listening) << listening.error().message();
        control_ = std::move(*listening);
    }
    [[nodiscard]] Result<Reply> ask_for(Request request, std::optional<std::chrono::milliseconds> timeout = test::deadline) const
    {
        return ask(*directory_, request, "stop", "web", timeout);
    }
    // The next connection and its request.
    [[nodiscard]] os::UniqueFd take_client(std::optional<Request>* request = nullptr) const
    {
        for (;;) {
            auto accepted = os::accept_messages(control_);
            if (!accepted) return {};
            if (!*accepted) {
                std::this_thread::sleep_for(1ms);
                continue;
            }
            auto received = os::receive_message(**accepted, message_limit, test::deadline);
            if (request != nullptr && received && *received) *request = decode_request(**received);
            return std::move(**accepted);
        }
    }

    test::ScratchDirectory scratch_;
    std::optional<record::ServiceDirectory> directory_;
    os::UniqueFd control_;
};

TEST_F(Client, learns_that_nobody_listens)
{
    const auto reply = ask_for(Request::stop);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::not_running);
    EXPECT_EQ(reply.error().message(), "cannot stop web: nobody supervises it");
}

TEST_F(Client, learns_that_the_socket_is_one_that_nobody_listens_on_any_more)
{
    listen();
    control_.reset();
    const auto reply = ask_for(Request::stop);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::not_running);
}

TEST_F(Client, asks_and_is_answered)
{
    listen();
    const test::TestChild supervisor([&] {
        std::optional<Request> request;
        const auto client = take_client(&request);
        if (request != Request::reload) return 1;
        return os::send_message(client, encode(Reply{.main_pid = 4121, .killed = true})) ? 0 : 2;
    });
    const auto reply = ask_for(Request::reload);
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->main_pid, 4121);
    EXPECT_TRUE(reply->killed);
}

TEST_F(Client, asks_again_when_a_supervisor_closes_without_an_answer)
{
    listen();
    const test::TestChild supervisor([&] {
        for (int unanswered = 0; unanswered < 3; ++unanswered) static_cast<void>(take_client());
        const auto client = take_client();
        return os::send_message(client, encode(Reply{.main_pid = 5})) ? 0 : 1;
    });
    const auto reply = ask_for(Request::stop);
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->main_pid, 5);
}

TEST_F(Client, does_not_repeat_a_reload)
{
    listen();
    const test::TestChild supervisor([&] {
        static_cast<void>(take_client());
        test::pause_for_ever();
        return 0;
    });
    const auto reply = ask_for(Request::reload);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::failed);
}

TEST_F(Client, does_not_ask_for_ever)
{
    listen();
    const test::TestChild supervisor([&] {
        for (;;) static_cast<void>(take_client());
        return 0;
    });
    const auto reply = ask_for(Request::stop, std::nullopt);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::failed);
}

TEST_F(Client, waits_no_longer_than_it_is_told)
{
    listen();  // and nobody takes the connection
    const auto reply = ask_for(Request::stop, 100ms);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::timed_out);
    EXPECT_EQ(reply.error().message(), "cannot stop web: its supervisor has not answered in time");
}

TEST_F(Client, refuses_an_answer_that_it_does_not_understand)
{
    listen();
    const test::TestChild supervisor([&] {
        const auto client = take_client();
        return os::send_message(client, encode(Request::stop)) ? 0 : 1;
    });
    const auto reply = ask_for(Request::stop);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::failed);
}

}  // namespace
}  // namespace steward::supervise
