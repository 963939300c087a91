// A program's output, opened afresh for each launch, and its last lines when it failed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"
#include "process/launch_plan.hpp"
#include "supervise/assignment.hpp"
#include "supervise/labelled_terminal.hpp"

namespace steward::supervise {

// Open for the length of a launch; says what was written since.
class Output {
  public:
    // `terminal` may be null: then a program that inherits its output writes there itself.
    static Result<Output> open(const OutputTarget& target, LabelledTerminal* terminal = nullptr, const std::string& service = {});
    void lend_to(process::LaunchPlan& plan) const;  // this must outlive the launch
    // Of this launch, stderr's own file first where there is one.
    [[nodiscard]] std::vector<std::string> last_lines(unsigned count) const;
    // The run is over: its last line needs no end to be told.
    void hang_up() { pipe_.reset(); }

  private:
    struct Part {
        os::UniqueFd fd;
        std::uint64_t start = 0;
    };
    OutputTarget::Kind kind_ = OutputTarget::Kind::null;
    Part out_;
    Part err_;
    os::UniqueFd pipe_;  // to the labelled terminal
    Labels labels_;
};

}  // namespace steward::supervise
