#include <algorithm>

#include "cli/render.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

constexpr std::size_t number_width = 4;

// The offending line with a caret below the place. What does not fit beside the line number is cut on both sides of it.
std::string excerpt(const Diagnostic& diagnostic, const Style& style)
{
    const std::string number = std::to_string(diagnostic.line);
    const std::string margin = std::string(number_width - std::min(number_width, number.size()), ' ') + number + " | ";
    const std::string empty_margin = std::string(margin.size() - 2, ' ') + "| ";

    std::string line = printable(diagnostic.source_line, style.unicode);
    std::size_t caret = 0;
    if (diagnostic.column > 0) {
        // The columns of a diagnostic count characters of the file; on the screen a tab or an escape takes more.
        const std::string before = diagnostic.source_line.substr(0, bytes_of(diagnostic.source_line, diagnostic.column - 1));
        caret = columns(printable(before, style.unicode));
    }
    const std::size_t room = style.width > margin.size() + 20 ? style.width - margin.size() : 0;
    if (room > 0 && columns(line) > room) {
        const std::size_t begin = caret < room - 10 ? 0 : caret - room / 2;
        line = cut(from_column(line, begin), room, style.unicode);
        caret -= begin;
    }
    std::string text = margin + line + "\n";
    if (diagnostic.column > 0) text += empty_margin + std::string(caret, ' ') + style.paint(Paint::red, "^") + "\n";
    return text;
}

std::string render_diagnostic(const Diagnostic& diagnostic, const Style& style)
{
    std::string place = diagnostic.file;
    if (diagnostic.line > 0) place += ":" + std::to_string(diagnostic.line);
    if (diagnostic.line > 0 && diagnostic.column > 0) place += ":" + std::to_string(diagnostic.column);
    std::string text = place.empty() ? std::string{} : style.paint(Paint::bold, printable(place, style.unicode)) + ": ";
    text += printable(diagnostic.message, style.unicode);
    if (!diagnostic.suggestion.empty()) text += " (did you mean '" + printable(diagnostic.suggestion, style.unicode) + "'?)";
    text += "\n";
    return diagnostic.line > 0 ? text + excerpt(diagnostic, style) : text;
}

}  // namespace

std::string render_details(const Error& error, const Style& style)
{
    std::string text;
    for (const Diagnostic& diagnostic : error.diagnostics) text += render_diagnostic(diagnostic, style);
    for (const std::string& line : error.detail) text += "    | " + printable(line, style.unicode) + "\n";
    return text;
}

}  // namespace steward::cli
