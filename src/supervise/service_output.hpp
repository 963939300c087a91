// All that a supervised service writes: nowhere, to where steward's own output goes, or through FIFOs into its logs, the journal or syslog.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "process/launch_plan.hpp"
#include "supervise/assignment.hpp"
#include "supervise/output.hpp"
#include "supervise/output_stream.hpp"

namespace steward::supervise {

// Makes the FIFOs that the assignment's output needs and has not got, in the record; without a record they have no name.
Result<void> make_fifos(Assignment& assignment);
// Those that an earlier keeper has left; false where one of them is missing.
bool find_fifos(Assignment& assignment);

class ServiceOutput {
  public:
    // All is lent for this object's life. `terminal` may be null, see Output.
    ServiceOutput(os::EventLoop& loop, log::EventLog& events, Assignment& assignment, LabelledTerminal* terminal = nullptr);
    ~ServiceOutput();
    ServiceOutput(const ServiceOutput&) = delete;
    ServiceOutput& operator=(const ServiceOutput&) = delete;

    // Begins to take what comes, of a program that runs already: a log that cannot be written now may be later, and what cannot be taken now
    // is tried again until it can. The error is the log's.
    Result<void> carry_on();
    // The first time, an error is the log's too: no program is launched whose output has nowhere to go.
    Result<void> begin_launch();
    void lend_to(process::LaunchPlan& plan) const;  // this must outlive the launch
    // The run is over: its last line needs no end to be told.
    void hang_up();
    // All that was written until now is in the logs.
    void drain();
    // Whose lines they are, where that is told.
    void set_main_pid(std::int32_t pid);
    // By request, whatever their size.
    Result<void> rotate();
    // Logs that somebody has renamed are left to them: what comes goes into new ones.
    Result<void> reopen();
    // True when it was a child of this object's: those that compress.
    bool child_ended(std::int32_t pid, const ExitStatus& status);
    [[nodiscard]] std::vector<std::int32_t> children() const;
    // Somebody else may take what comes from now on.
    void close();
    // Of this launch, stderr's own first where there is one.
    [[nodiscard]] std::vector<std::string> last_lines(unsigned count);
    // Where this launch's lines begin, for the record and from it.
    void note_launch(record::State& state) const;
    void launched_before(const record::State& state);
    // Told every line of this launch that goes into a log, from the loop; empty: no more of them.
    void watch_lines(const LogLines::Told& told);

  private:
    Result<void> open();
    Result<void> open_program_ends();
    void hold_packing(bool hold);
    Result<void> of_each(Result<void> (OutputStream::*deed)());
    Result<void> open_stream(std::unique_ptr<OutputStream>& stream, os::BorrowedFd fifo, const char* spool, const std::string& path);
    [[nodiscard]] std::unique_ptr<OutputStream> file_stream(os::BorrowedFd fifo, log::Spool spool, const std::string& path);
    [[nodiscard]] std::unique_ptr<OutputStream> sent_stream(os::BorrowedFd fifo, log::Spool spool);

    os::EventLoop& loop_;
    log::EventLog& events_;
    Assignment& assignment_;
    std::unique_ptr<OutputStream> out_;
    std::unique_ptr<OutputStream> err_;
    LabelledTerminal* terminal_;
    std::optional<Output> elsewhere_;  // what goes into no log
    OutputFifos program_;              // the program's own ends
    bool opened_ = false;              // each stream that is wanted is taken
    os::EventLoop::Id retry_ = 0;
    std::int32_t main_pid_ = 0;
    // For a stream that could not be opened when this was told.
    struct {
        record::LogPlace out;
        record::LogPlace err;
    } left_;
    LogLines::Told told_;
    bool holds_packing_;  // a line of this launch may still be looked for
};

}  // namespace steward::supervise
