// What is said over the control socket and from a supervisor to the `start` that waits for it: framed, versioned, bounded.
//
// A message is a fixed header and, in a reply, length-prefixed strings. Whatever does not decode is not obeyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <steward/result.hpp>

namespace steward::supervise {

inline constexpr std::size_t message_limit = 60 * 1024;

enum class Request : std::uint16_t {
    start = 1,  // answered when the service is up (a restart that is waited for comes at once), or with the reason it is not
    stop = 2,   // answered when no process of the service is left, or with those that are
    reload = 3,
    reexec = 4,  // answered when keeper and supervisor are about to be replaced by the installed program, or with the reason they are not
    rotate_logs = 5,
    reopen_logs = 6,
    apply = 7,         // in the foreground: answered when the service goes by what its record holds now, or with the reason it does not
    lend_sockets = 8,  // answered at once, the service's sockets with it: they outlive the stop that follows
};

// The outcome of a request, or of a start.
struct Reply {
    std::optional<Error> error;  // unset: done. not_running, to a start: the service is over or stopping, a new start may begin
    std::int64_t main_pid = 0;
    bool killed = false;  // stop: SIGKILL was needed
};

[[nodiscard]] std::vector<std::byte> encode(Request request);
[[nodiscard]] std::vector<std::byte> encode(const Reply& reply);  // cut to message_limit, its last detail lines first to go
[[nodiscard]] std::optional<Request> decode_request(std::span<const std::byte> message);
[[nodiscard]] std::optional<Reply> decode_reply(std::span<const std::byte> message);

// The keeper's word on a process that it reaped.
struct ExitNotice {
    std::int32_t pid = 0;
    std::int32_t code = 0;
    std::uint8_t signalled = 0;
    std::uint8_t core_dumped = 0;
};

// A supervisor's word to its keeper, where that keeps several services or is to end as its service did.
struct SupervisorWord {
    enum class Kind : std::uint8_t {
        released,  // the service at this place is over, and may be started by others
        over,      // all are; of a single service how it ended by itself, if it did
    };
    Kind kind = Kind::released;
    std::uint8_t known = 0;
    std::uint8_t signalled = 0;
    std::int32_t value = 0;
};

}  // namespace steward::supervise
