#include "supervise/client.hpp"

#include <algorithm>
#include <thread>

#include "os/message_socket.hpp"
#include "os/passed_descriptors.hpp"

namespace steward::supervise {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Between one supervisor's death and the next one's first answer; all in all some five seconds, far more than a keeper needs.
constexpr milliseconds first_pause{2};
constexpr milliseconds longest_pause{100};
constexpr int most_attempts = 50;
constexpr milliseconds loan_patience{5000};

std::optional<milliseconds> remaining(const std::optional<Clock::time_point>& deadline)
{
    if (!deadline) return std::nullopt;
    const auto left = std::chrono::ceil<milliseconds>(*deadline - Clock::now());
    return std::max(left, milliseconds(0));
}

// Unset: the supervisor died, or closed the connection, before it answered.
Result<std::optional<std::vector<std::byte>>> ask_once(const record::ServiceDirectory& directory, Request request,
                                                       const std::optional<Clock::time_point>& deadline)
{
    auto socket = os::connect_messages(directory.directory(), "control");
    if (!socket) return fail(socket.error());
    if (!os::send_message(*socket, encode(request))) return std::nullopt;
    return os::receive_message(*socket, message_limit, remaining(deadline));
}

}  // namespace

Result<Reply> ask(const record::ServiceDirectory& directory, Request request, const std::string& operation, const std::string& name,
                  std::optional<milliseconds> timeout)
{
    const auto failed = [&](const char* cause) {
        return fail(Error{.code = ErrorCode::failed, .operation = operation, .object = name, .cause = cause, .next_step = {}});
    };
    const auto deadline = timeout ? std::optional(Clock::now() + *timeout) : std::nullopt;
    milliseconds pause = first_pause;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        const auto received = ask_once(directory, request, deadline);
        if (!received) {
            Error error = received.error();
            error.operation = operation;
            error.object = name;
            if (error.code == ErrorCode::not_running) error.cause = "nobody supervises it";
            if (error.code == ErrorCode::timed_out) error.cause = "its supervisor has not answered in time";
            return fail(std::move(error));
        }
        if (*received) {
            auto reply = decode_reply(**received);
            if (reply) return std::move(*reply);
            return failed("its supervisor answered in a form that this version does not know");
        }
        if (request == Request::reload) return failed("its supervisor died before it answered");
        std::this_thread::sleep_for(std::min(pause, remaining(deadline).value_or(pause)));
        pause = std::min(pause * 2, longest_pause);
    }
    return failed("its supervisors die before they answer");
}

std::vector<os::UniqueFd> borrow_sockets(const record::ServiceDirectory& directory)
{
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(longest_pause);
        auto socket = os::connect_messages(directory.directory(), "control");
        if (!socket) return {};
        if (!os::send_message(*socket, encode(Request::lend_sockets))) continue;
        auto received = os::receive_descriptors(*socket, message_limit, loan_patience);
        if (received && !received->message.empty()) return std::move(received->descriptors);
    }
    return {};
}

}  // namespace steward::supervise
