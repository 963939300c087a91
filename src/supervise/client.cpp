#include "supervise/client.hpp"

#include "os/message_socket.hpp"

namespace steward::supervise {

namespace {

using Clock = std::chrono::steady_clock;

std::optional<std::chrono::milliseconds> remaining(const std::optional<Clock::time_point>& deadline)
{
    if (!deadline) return std::nullopt;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
}

}  // namespace

Result<Reply> ask(const record::ServiceDirectory& directory, Request request, const std::string& operation, const std::string& name,
                  std::optional<std::chrono::milliseconds> timeout)
{
    const auto deadline = timeout ? std::optional(Clock::now() + *timeout) : std::nullopt;
    for (;;) {
        auto socket = os::connect_messages(directory.directory(), "control");
        if (!socket) return fail(socket.error());
        const auto sent = os::send_message(*socket, encode(request));
        if (sent) {
            auto received = os::receive_message(*socket, message_limit, remaining(deadline));
            if (!received) return fail(received.error());
            if (*received) {
                auto reply = decode_reply(**received);
                if (reply) return std::move(*reply);
                return fail(Error{.code = ErrorCode::failed,
                                  .operation = operation,
                                  .object = name,
                                  .cause = "its supervisor answered in a form that this version does not know"});
            }
        }
        if (request == Request::reload) {
            return fail(Error{.code = ErrorCode::failed, .operation = operation, .object = name, .cause = "its supervisor died"});
        }
    }
}

}  // namespace steward::supervise
