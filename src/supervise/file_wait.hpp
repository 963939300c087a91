// Tells when it is time to look at a path again, which need not exist yet, nor its directory.
#pragma once

#include <functional>
#include <string>

#include "os/event_loop.hpp"

namespace steward::supervise {

// Calls `changed` from the loop: soon after it was made, and then whenever the file may have appeared or changed. `changed` may destroy
// this.
class FileWait {
  public:
    FileWait(os::EventLoop& loop, std::string path, std::function<void()> changed);
    ~FileWait();
    FileWait(const FileWait&) = delete;
    FileWait& operator=(const FileWait&) = delete;

  private:
    void watch_nearest_directory();
    void look();

    os::EventLoop& loop_;
    std::string path_;
    std::function<void()> changed_;
    std::string watched_;
    os::UniqueFd watch_;
    os::EventLoop::Id watch_id_ = 0;
    os::EventLoop::Id timer_ = 0;
};

}  // namespace steward::supervise
