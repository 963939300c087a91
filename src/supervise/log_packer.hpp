// Compresses the rotated files of a log, one after another, oldest first, in a child of low priority: the supervisor never waits for it, and
// never has more than one such child.
//
// The child writes a file of its own. When it has ended well that file gets the name of the rotated one, whatever that is by then, and the
// rotated one goes. So whoever is killed, when: each line is in a whole file, and what was not done is done after the next start.
#pragma once

#include <cstdint>
#include <string>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "log/event_log.hpp"
#include "log/log_file.hpp"
#include "log/rotation.hpp"

namespace steward::supervise {

class LogPacker {
  public:
    LogPacker(log::EventLog& events, std::string service, log::LogFileOptions log, LogCompression compression);
    ~LogPacker();
    LogPacker(const LogPacker&) = delete;
    LogPacker& operator=(const LogPacker&) = delete;

    // There may be something to compress.
    void look();
    // What is being compressed is finished, and nothing else begun.
    void hold(bool held);
    // True when it was this packer's child.
    bool child_ended(std::int32_t pid, const ExitStatus& status);
    [[nodiscard]] std::int32_t child() const { return child_; }  // 0: none

  private:
    static void next_turn();
    Result<void> begin();
    Result<void> finish(const ExitStatus& status);
    void settle(const Result<void>& outcome);

    log::EventLog& events_;
    std::string service_;
    log::LogFileOptions log_;
    LogCompression compression_;
    std::int32_t child_ = 0;
    os::UniqueFd packed_;  // the file that the child reads: held, so that no other gets its inode
    bool held_ = false;
    bool faulted_ = false;
};

}  // namespace steward::supervise
