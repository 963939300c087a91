// Where results and diagnostics go, and what may be sent there: colour, Unicode, how many columns.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "cli/arguments.hpp"

namespace steward::cli {

enum class Paint { plain, bold, green, yellow, red, cyan, magenta, blue };

// How text may look in one place. The default is what a file or a pipe gets.
struct Style {
    bool terminal = false;
    bool colour = false;
    bool unicode = true;
    unsigned width = 0;  // 0: as wide as the text

    [[nodiscard]] std::string paint(Paint paint, std::string_view text) const;
};

// The two streams of a command. Owns neither.
class Console {
  public:
    // Asks the terminals behind the streams, and NO_COLOR, TERM, LC_ALL, LC_CTYPE and LANG.
    Console(std::FILE* out, std::FILE* err, ColorWhen color);

    [[nodiscard]] const Style& out_style() const { return out_style_; }
    [[nodiscard]] const Style& err_style() const { return err_style_; }

    // Where results go; -1: to no descriptor.
    [[nodiscard]] int out_descriptor() const;

    // Whole lines, flushed: nothing of them may be left in a buffer when a verb forks.
    void result(std::string_view text);
    void diagnostic(std::string_view text);
    // "steward: MESSAGE", the name coloured on a terminal.
    void complain(std::string_view message);

    // Whether all results have been written; a full disk must not look like success.
    [[nodiscard]] bool results_written() const { return results_written_; }

  private:
    std::FILE* out_;
    std::FILE* err_;
    Style out_style_;
    Style err_style_;
    bool results_written_ = true;
};

}  // namespace steward::cli
