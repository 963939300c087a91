// Waits for files to grow and for names to come and go, by inotify(7): nobody looks again and again, where the kernel tells all.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

class FileWatch {
  public:
    // Kernels before 6.6 do not tell of what was spliced into a file. There a look every half second has to do; -1: not needed.
    static std::chrono::milliseconds needed_look();
    static Result<FileWatch> create(std::chrono::milliseconds look = needed_look());

    // A number that tells the changes of this object; the same object has the same number however often it is added. A watch goes with its
    // object.
    Result<int> add_file(BorrowedFd file);               // written to, or cut
    Result<int> add_directory(const std::string& path);  // a name comes, by creation or by renaming

    struct Change {
        int watch = 0;     // -1: anything may have changed
        std::string name;  // the name that came
    };
    // Blocks until something has changed; nothing has when nobody reads `reader`, a pipe or socket, any more. -1: there is none.
    Result<std::vector<Change>> wait(BorrowedFd reader = {}) const;

  private:
    FileWatch(UniqueFd fd, std::chrono::milliseconds look) : fd_(std::move(fd)), look_(look) {}
    UniqueFd fd_;
    std::chrono::milliseconds look_;
};

}  // namespace steward::os
