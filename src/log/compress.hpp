// One file compressed into another.
#pragma once

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "os/fd.hpp"

namespace steward::log {

// From the start of `from` to its end, into the empty file `to`. Does not return before it is on the disk.
Result<void> compress(os::BorrowedFd from, os::BorrowedFd to, LogCompression kind);

}  // namespace steward::log
