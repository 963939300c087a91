// Several logs as one: merged by time as far as they go, then followed.
#pragma once

#include <vector>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "log/log_stream.hpp"

namespace steward::log {

// invalid_argument: the pattern is none. Faults of single sources go to the sink.
Result<void> view(const std::vector<LogSource>& sources, const LogOptions& options, LogSink& sink);

}  // namespace steward::log
