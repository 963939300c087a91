// The output of several services on one terminal, each line behind the name of its service.
//
// The services write into pipes, and this process writes whole lines to the terminal. It never waits for that: while the terminal takes
// nothing (Ctrl-S), nothing is read, and the services wait as they would for the terminal itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <steward/result.hpp>

#include "os/event_loop.hpp"
#include "os/fd.hpp"

namespace steward::supervise {

// Cuts what comes into lines. Pure.
class LabelledLines {
  public:
    explicit LabelledLines(std::string label) : label_(std::move(label)) {}
    // The lines that are whole now, each behind the label; the rest waits for its end.
    [[nodiscard]] std::string take(std::string_view bytes);
    // What still waits, as a line.
    [[nodiscard]] std::string end();

  private:
    std::string label_;
    std::string partial_;
};

struct Labels {
    bool output = false;  // standard output is a terminal
    bool error = false;   // standard error is one
    bool colour = false;
    [[nodiscard]] bool any() const { return output || error; }
};

class LabelledTerminal {
  public:
    // `width`: of the longest name. The terminal is opened anew, for to this process alone it must not block: fails where that is not allowed.
    static Result<std::unique_ptr<LabelledTerminal>> open(os::EventLoop& loop, const Labels& labels, std::size_t width);
    ~LabelledTerminal();
    LabelledTerminal(const LabelledTerminal&) = delete;
    LabelledTerminal& operator=(const LabelledTerminal&) = delete;

    // Where one run of a service writes to. The last line is told when nobody holds that end any more.
    Result<os::UniqueFd> add(const std::string& service);
    [[nodiscard]] const Labels& labels() const { return labels_; }
    // When the services are over: what they have written last. Waits for the terminal no longer than `limit`.
    void drain(std::chrono::milliseconds limit);

  private:
    struct Source {
        os::UniqueFd pipe;
        os::EventLoop::Id watch = 0;  // 0: the terminal takes nothing now
        LabelledLines lines;
    };
    using Sources = std::map<unsigned, Source>;

    LabelledTerminal(os::EventLoop& loop, const Labels& labels, std::size_t width, os::UniqueFd terminal);
    [[nodiscard]] std::string label_of(const std::string& service);
    void pause();
    void resume();
    void give_up();
    void read(unsigned id);
    void tell(std::string_view text);
    void write();

    os::EventLoop& loop_;
    Labels labels_;
    std::size_t width_;
    os::UniqueFd terminal_;  // none once it has gone: what is written is thrown away then
    os::EventLoop::Id writable_ = 0;
    std::map<std::string, unsigned> colours_;
    Sources sources_;
    unsigned last_source_ = 0;
    std::uint64_t reads_ = 0;
    std::string pending_;
};

}  // namespace steward::supervise
