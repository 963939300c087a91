// How a keeper is replaced by the installed program: it executes that in its own place, with all that it holds, and what comes up there
// carries on from the record as any new supervisor does. The two may be of different versions, so these words are for ever:
//
//   steward --carry-on keep SCOPE NAME READ WRITE LEASE CONTROL [stdout=NUMBER] [stderr=NUMBER] [notify=NUMBER] [socket=NUMBER]...
//   steward --carry-on check SCOPE NAME       whether it could: reads all that it would go by, changes nothing
//
// What else a version holds it adds as WORD=NUMBER; a version that does not know the word closes the descriptor.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"
#include "supervise/assignment.hpp"

namespace steward::supervise {

struct Succession {
    bool check = false;
    bool system_scope = true;
    std::string name;
    // With keep: the channel between keeper and supervisor, for what a supervisor has not read is still in it; and what the keeper holds.
    os::Pipe notices;
    os::UniqueFd lease;
    os::UniqueFd control;
    OutputFifos fifos;  // unset: the output goes elsewhere
    os::UniqueFd notify;
    std::vector<os::UniqueFd> sockets;
};

// Takes the descriptors that are named. Unset: nothing that this version knows.
[[nodiscard]] std::optional<Succession> parse_succession(std::span<const std::string> words);

// Made before the keeper keeps anything, for then it allocates nothing any more.
class Successor {
  public:
    Successor() = default;
    Successor(const Assignment& assignment, const os::Pipe& notices);
    // Of the program that checks. Empty: it cannot be told.
    [[nodiscard]] const std::string& program() const { return program_; }
    [[nodiscard]] const std::vector<std::string>& check_words() const { return check_words_; }
    // Returns only if it failed, with an errno.
    [[nodiscard]] int execute() noexcept;

  private:
    std::string program_;
    std::vector<std::string> check_words_;
    std::vector<std::string> words_;
    std::vector<char*> argv_;
    std::vector<int> keep_;

    void hold(const char* word, os::BorrowedFd fd);
};

}  // namespace steward::supervise
