// type = forking: finds the process that stays when the one that was launched has ended, by the PID file that the program writes.
//
// The file is believed as little as any other: what stands in it must be a living process of this service, born after the launch. Until it
// is, the file is looked at again whenever it may have changed; a file that nobody could trust is the end of the search.
#pragma once

#include <functional>
#include <string>

#include <steward/result.hpp>

#include "os/process.hpp"
#include "supervise/file_wait.hpp"

namespace steward::supervise {

class ForkedMain {
  public:
    struct Search {
        std::string pid_file;
        std::uint32_t owner = 0;                          // who beside root may have written it
        std::function<bool(std::int32_t pid)> is_member;  // of the service
        std::function<bool()> anybody_left;               // of the service, who could still write the file
    };
    // The process, or why there will be none. Called once, from the loop; may destroy this.
    using Done = std::function<void(Result<os::ProcessRef>)>;

    ForkedMain(os::EventLoop& loop, Search search, Done done);
    ~ForkedMain();
    ForkedMain(const ForkedMain&) = delete;
    ForkedMain& operator=(const ForkedMain&) = delete;

    void look_again();  // a process of the service has ended
    // What it has found so far instead.
    [[nodiscard]] const std::string& complaint() const { return complaint_; }

  private:
    void look();
    [[nodiscard]] Result<std::optional<os::ProcessRef>> judge();

    os::EventLoop& loop_;
    Search search_;
    Done done_;
    std::string complaint_;
    FileWait wait_;
    os::EventLoop::Id again_ = 0;
};

// Whether `pid` descends from `root`, by the parents that the kernel tells.
[[nodiscard]] bool descends_from(std::int32_t pid, std::int32_t root);

}  // namespace steward::supervise
