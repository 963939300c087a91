// The other end of the control socket: asks a service's supervisor, and waits for its answer.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"
#include "record/record.hpp"
#include "supervise/message.hpp"

namespace steward::supervise {

// Blocks until answered or `timeout` (timed_out; unset: for as long as the answer takes). not_running when nobody listens,
// not_permitted for a caller who is neither root nor the service's owner. A supervisor that dies before it answers is asked again, for
// its keeper starts the next: all but a reload may be repeated; that is not, and fails.
Result<Reply> ask(const record::ServiceDirectory& directory, Request request, const std::string& operation, const std::string& name,
                  std::optional<std::chrono::milliseconds> timeout);

// The sockets that its supervisor holds, and leaves behind when the service is stopped now. None where nobody supervises it, or by a version
// that knows of none.
[[nodiscard]] std::vector<os::UniqueFd> borrow_sockets(const record::ServiceDirectory& directory);

}  // namespace steward::supervise
