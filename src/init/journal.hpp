// What services have written to systemd's journal, read by libsystemd, which is loaded by the first who asks.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <steward/manager.hpp>
#include <steward/result.hpp>

namespace steward::init {

struct JournalService {
    std::string name;
    Scope scope = Scope::system;
    bool and_of_it = false;  // what systemd says of its unit, too
};

using Wanted = std::function<bool(std::string_view)>;  // of a line's text; empty: every line

// As LogOptions says, but for the pattern, whose place `wanted` takes. Who may not read the journal finds nothing in it. unsupported: the host has
// no libsystemd.
Result<void> read_journal(const std::vector<JournalService>& services, const LogOptions& options, const Wanted& wanted, LogSink& sink);

// The last lines of one service, none of them older than `since`; none where they cannot be read.
[[nodiscard]] std::vector<std::string> last_journal_lines(const JournalService& service, unsigned count,
                                                          std::optional<std::chrono::system_clock::time_point> since = {});

}  // namespace steward::init
