// The lines of one log, decoded and filtered: first those that are there, then, for who follows, those that come.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "log/line_reader.hpp"
#include "log/log_chain.hpp"
#include "log/pattern.hpp"

namespace steward::log {

using LogTime = std::chrono::system_clock::time_point;

struct LineFilter {
    std::optional<LogTime> since, until;
    const Pattern* pattern = nullptr;
};

// What is looked at: the output of one service, or the events about several.
struct LogSource {
    std::string path;
    LogLine::Stream stream = LogLine::Stream::output;
    std::string service;             // of an output
    std::set<std::string> services;  // of events
};

// Tells what a line is and whether it is wanted. A copy knows what the original has seen.
class LineDecoder {
  public:
    LineDecoder(const LogSource& source, const LineFilter& filter) : source_(&source), filter_(filter) {}

    // Lines before the first stamp count as old as the file's last change.
    void enter_file(LogTime modified) { fallback_ = modified; }
    // Whether the piece is wanted; then `line` tells it. A line's pieces share the fate of its first.
    bool decode(const LinePiece& piece, LogLine& line);
    // What the last line is sorted by.
    [[nodiscard]] LogTime time() const { return last_stamp_.value_or(fallback_); }
    void set_last_stamp(std::optional<LogTime> stamp) { last_stamp_ = stamp; }
    [[nodiscard]] std::optional<LogTime> last_stamp() const { return last_stamp_; }

  private:
    [[nodiscard]] bool wanted(const LogLine& line) const;
    bool decode_event(LogLine& line) const;

    const LogSource* source_;
    LineFilter filter_;
    std::optional<LogTime> last_stamp_;
    LogTime fallback_;
    bool wanted_ = true;
};

class LogStream {
  public:
    // `source` must outlive the stream. Who will follow gets what stands at the end without a newline when that has come.
    enum class Purpose { look, follow };
    LogStream(const LogSource& source, const LineFilter& filter, Purpose purpose);

    // Opens what is there, and goes to where its last `lines` wanted lines begin (unset: to the beginning). How many those are; 0 where
    // `lines` is unset. What is written from now on is not in the way: a service that writes faster than it is read has an end, too.
    Result<unsigned> open(std::optional<unsigned> lines);
    // The next wanted line; false: there is none, or none yet. After an error the damaged file is left out and the next call goes on.
    Result<bool> next(LogLine& line);
    // What the line of the last next() is sorted by.
    [[nodiscard]] LogTime time() const { return decoder_.time(); }

    // From now on the log has no end, and a line is whole when its newline is there.
    void go_live();
    // Whether another file has come: rotated, or made.
    Result<bool> refresh();
    [[nodiscard]] bool take_gap() { return chain_.take_gap(); }
    // The newest file; -1: there is none.
    [[nodiscard]] os::BorrowedFd newest() const;
    [[nodiscard]] const LogSource& source() const { return source_; }

  private:
    struct Mark;
    Result<std::deque<Mark>> last_marks(ChainFile& file, unsigned lines);
    Result<std::deque<Mark>> marks_from(ChainFile& file, std::uint64_t begin, unsigned lines);
    Result<unsigned> go_to_last(unsigned lines);
    void start_file();
    Result<bool> leave_file();
    bool was_cut();

    const LogSource& source_;
    LineFilter filter_;
    LogChain chain_;
    LineReader reader_;
    LineDecoder decoder_;
    Purpose purpose_;
    bool live_ = false;
    bool leaving_ = false;  // the next file is written to: this one is read to its end once more
    std::string head_;      // the first bytes of the file that is read, to tell one that was emptied and written anew
};

}  // namespace steward::log
