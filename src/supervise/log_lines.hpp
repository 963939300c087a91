// The lines of a log as they are written: for who waits for one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <steward/service_spec.hpp>

#include "os/fd.hpp"
#include "record/record.hpp"

namespace steward::supervise {

class LogLines {
  public:
    // `from`: where the first line begins; if that log was rotated since and is not compressed yet, its lines come first, and then those of
    // the logs that followed it. Else another log than was meant has later lines only.
    // `path`: the log's, if rotated ones are to be looked for behind it.
    LogLines(const record::LogPlace& from, LogTimestamps timestamps, std::string path = {})
        : from_(from), timestamps_(timestamps), path_(std::move(path))
    {
    }

    using Told = std::function<void(std::string_view)>;
    // Tells every line that has been ended since the last call, without its stamp. Where `log` is another than then, the rest of that one
    // comes first. A line of more than 64 KiB is told in parts.
    void read(os::BorrowedFd log, const Told& told);

  private:
    void read_rotated(const Told& told);
    void read_to_end(const Told& told);
    void tell(const Told& told);

    record::LogPlace from_;
    LogTimestamps timestamps_;
    std::string path_;
    record::LogPlace at_;
    os::UniqueFd reader_;
    std::string begun_;  // the line whose end is not written yet
};

}  // namespace steward::supervise
