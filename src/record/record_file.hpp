// The record file's layout, and how it is read while another process writes it.
#pragma once

#include <optional>
#include <string>

#include <steward/result.hpp>

#include "record/record.hpp"
#include "record/state_block.hpp"

namespace steward::record {

// One open record. Reads retry for a few milliseconds what a writer has just half replaced.
class RecordFile {
  public:
    RecordFile(os::UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

    Result<Reading> read() const;
    Result<std::optional<State>> state() const;
    // The inode is left out where the state cannot be read: start time and PID still tell the process from any other.
    Result<std::optional<os::ProcessIdentity>> main_process() const;
    Result<void> write(const State& state) const;
    Result<void> clear_main() const;
    Result<void> write_main(const os::ProcessIdentity& main) const;

  private:
    Result<void> write_block(const MainBlock& block) const;
    Result<std::optional<StateBlock>> latest_block() const;
    Result<std::optional<os::ProcessIdentity>> main_process(const std::optional<StateBlock>& block) const;
    [[nodiscard]] Error error(Error error, const char* operation) const;
    [[nodiscard]] Error undeterminable(const char* cause) const;

    os::UniqueFd file_;
    std::string path_;
};

// What keeps from reading a record keeps from telling whether its service runs.
[[nodiscard]] Error unreadable_record(Error error);

}  // namespace steward::record
