// What a service says of itself by sd_notify(3), read without believing: pure, so that a table can test it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

namespace steward::supervise {

struct Said {
    bool ready = false;
    bool reloading = false;
    bool stopping = false;
    std::optional<std::string> status;  // one line, in UTF-8, cut after 256 bytes
    std::int32_t main_pid = 0;          // 0: none
    int os_errno = 0;                   // 0: none
    std::optional<Duration> extend_timeout;
    bool alive = false;    // WATCHDOG=1
    bool failing = false;  // WATCHDOG=trigger
    std::optional<Duration> watchdog_interval;
    bool stores_descriptors = false;  // which steward does not
};

// A line that is no assignment, or a value that its variable cannot have, spoils the whole message: then, why. Variables of others' are
// passed over, as the protocol wants it.
tl::expected<Said, std::string> read_notification(std::string_view text);

}  // namespace steward::supervise
