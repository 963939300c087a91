#include "supervise/probe.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "supervising.hpp"

namespace steward::supervise {
namespace {

using Kind = ProbeTarget::Kind;

class Probing : public test::Looping {
  protected:
    struct Outcome {
        std::optional<std::string> failure;
    };
    // Unset: it never told.
    [[nodiscard]] std::optional<Outcome> outcome_of(const ProbeTarget& target, Duration timeout = std::chrono::seconds(10))
    {
        std::optional<Outcome> told;
        std::unique_ptr<Probe> probe;
        probe = Probe::start(*loop_, target, timeout, [&](const std::optional<std::string>& failure) {
            told = Outcome{failure};
            probe.reset();
        });
        EXPECT_FALSE(told) << "told before the loop ran";
        static_cast<void>(run_until([&] { return told.has_value(); }));
        return told;
    }

    // Bound to a free port of the loopback; listens, or does not.
    std::uint16_t bind_port(bool listens)
    {
        socket_ = os::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
        if (listens) {
            EXPECT_EQ(::listen(socket_.get(), 1), 0);
        }
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        return ntohs(address.sin_port);
    }

    // Of a server that answers whoever connects with these bytes, and closes the connection unless it is to stay silent.
    [[nodiscard]] std::optional<Outcome> http_outcome(const std::string& answer, const std::string& path = "/health")
    {
        const std::string url = "http://127.0.0.1:" + std::to_string(bind_port(true)) + path;
        const auto accepting = loop_->on_readable(socket_, [this, answer] {
            client_ = os::UniqueFd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (answer == silence) return;
            auto reading = loop_->on_readable(client_, [this, answer] {
                std::array<std::byte, 4096> bytes{};
                const auto size = os::read_some(client_, bytes);
                request_.assign(reinterpret_cast<const char*>(bytes.data()), size.value_or(0));
                static_cast<void>(os::write_all(client_, answer));
                loop_->cancel(client_watch_);
                client_.reset();
            });
            client_watch_ = reading.value_or(0);
        });
        auto outcome = outcome_of({.kind = Kind::http, .address = url}, std::chrono::milliseconds(answer == silence ? 50 : 10000));
        loop_->cancel(accepting.value_or(0));
        return outcome;
    }

    static constexpr const char* silence = "(silence)";
    os::UniqueFd socket_;
    os::UniqueFd client_;
    os::EventLoop::Id client_watch_ = 0;
    std::string request_;
};

TEST_F(Probing, a_port_that_listens_answers)
{
    const auto told = outcome_of({.kind = Kind::tcp, .address = std::to_string(bind_port(true))});
    ASSERT_TRUE(told);
    EXPECT_EQ(told->failure, std::nullopt);
}

TEST_F(Probing, a_port_that_does_not_listen_is_refused)
{
    const auto told = outcome_of({.kind = Kind::tcp, .address = std::to_string(bind_port(false))});
    ASSERT_TRUE(told);
    EXPECT_EQ(told->failure, "Connection refused");
}

TEST_F(Probing, a_page_answers_by_its_status)
{
    EXPECT_EQ(http_outcome("HTTP/1.1 204 No Content\r\n\r\n")->failure, std::nullopt);
    EXPECT_TRUE(request_.starts_with("GET /health HTTP/1.1\r\nHost: 127.0.0.1:")) << request_;
    EXPECT_TRUE(request_.ends_with("\r\n\r\n")) << request_;
    EXPECT_EQ(http_outcome("HTTP/1.0 302 Found\r\nLocation: /elsewhere\r\n\r\n")->failure, std::nullopt);
    EXPECT_EQ(http_outcome("HTTP/1.1 503 Service Unavailable\r\n\r\n")->failure, "the answer is status 503");
}

TEST_F(Probing, what_is_no_page_is_told)
{
    EXPECT_EQ(http_outcome("SSH-2.0-server\r\n")->failure, "the answer is not HTTP");
    EXPECT_EQ(http_outcome("")->failure, "the answer is not HTTP");
    EXPECT_EQ(http_outcome(std::string(8192, 'x'))->failure, "the answer is not HTTP");
    EXPECT_EQ(http_outcome(silence)->failure, "no answer in time");
}

TEST_F(Probing, a_socket_that_is_not_there_is_told)
{
    const auto told = outcome_of({.kind = Kind::unix_socket, .address = scratch_ / "socket"});
    ASSERT_TRUE(told);
    EXPECT_EQ(told->failure, "No such file or directory");
}

TEST_F(Probing, a_command_answers_by_its_exit_code)
{
    const auto good = test::shell("exit 0");
    const auto bad = test::shell("exit 3");
    EXPECT_EQ(outcome_of({.kind = Kind::command, .command = &good})->failure, std::nullopt);
    EXPECT_EQ(outcome_of({.kind = Kind::command, .command = &bad})->failure, "the command ended with exit code 3");
}

TEST_F(Probing, a_command_that_does_not_end_is_killed)
{
    const auto endless = test::play({"sleep_forever"});
    EXPECT_EQ(outcome_of({.kind = Kind::command, .command = &endless}, std::chrono::milliseconds(50))->failure,
              "the command did not end in time");
}

TEST_F(Probing, a_probe_that_is_kept_tells_once)
{
    unsigned told = 0;
    bool over = false;
    const auto probe = Probe::start(*loop_, {.kind = Kind::tcp, .address = std::to_string(bind_port(true))}, std::chrono::milliseconds(20),
                                    [&](const auto&) { ++told; });
    loop_->after(std::chrono::milliseconds(60), [&] { over = true; });
    ASSERT_TRUE(run_until([&] { return over; }));
    EXPECT_EQ(told, 1U);
}

TEST_F(Probing, a_probe_that_is_destroyed_tells_nothing)
{
    bool told = false;
    {
        const auto probe = Probe::start(*loop_, {.kind = Kind::tcp, .address = std::to_string(bind_port(true))}, std::chrono::seconds(10),
                                        [&](const auto&) { told = true; });
    }
    bool over = false;
    loop_->after(std::chrono::milliseconds(50), [&] { over = true; });
    ASSERT_TRUE(run_until([&] { return over; }));
    EXPECT_FALSE(told);
}

}  // namespace
}  // namespace steward::supervise
