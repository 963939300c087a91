#include "cli/console.hpp"

#include <steward/terminal.hpp>

#include <cstdlib>

#include "cli/text.hpp"

namespace steward::cli {

namespace {

std::string_view variable(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : value;
}

bool locale_is_utf8()
{
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string_view value = variable(name);
        if (value.empty()) continue;
        const std::string_view charset = value.substr(std::min(value.find('.'), value.size()));
        return charset.starts_with(".UTF-8") || charset.starts_with(".utf8") || charset.starts_with(".utf-8") ||
               charset.starts_with(".UTF8");
    }
    return false;
}

Style style_of(std::FILE* stream, ColorWhen color)
{
    Style style;
    const int fd = fileno(stream);
    style.terminal = fd >= 0 && is_terminal(fd);
    style.colour = color == ColorWhen::always || (color == ColorWhen::automatic && style.terminal && variable("NO_COLOR").empty() &&
                                                  variable("TERM") != "dumb" && !variable("TERM").empty());
    if (style.terminal) {
        style.unicode = locale_is_utf8();
        style.width = terminal_width(fd);
    }
    return style;
}

bool write(std::FILE* stream, std::string_view text)
{
    return std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fflush(stream) == 0;
}

}  // namespace

std::string Style::paint(Paint paint, std::string_view text) const
{
    const char* code = "";
    switch (paint) {
        case Paint::plain: return std::string(text);
        case Paint::bold: code = "1"; break;
        case Paint::green: code = "1;32"; break;
        case Paint::yellow: code = "1;33"; break;
        case Paint::red: code = "1;31"; break;
        case Paint::cyan: code = "36"; break;
        case Paint::magenta: code = "35"; break;
        case Paint::blue: code = "34"; break;
    }
    return colour ? "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m" : std::string(text);
}

Console::Console(std::FILE* out, std::FILE* err, ColorWhen color)
    : out_(out), err_(err), out_style_(style_of(out, color)), err_style_(style_of(err, color))
{
}

int Console::out_descriptor() const
{
    return fileno(out_);
}

void Console::result(std::string_view text)
{
    if (!text.empty() && !write(out_, text)) results_written_ = false;
}

void Console::diagnostic(std::string_view text)
{
    // When even this fails there is nobody left to tell; the exit code still says it.
    static_cast<void>(write(err_, text));
}

void Console::complain(std::string_view message)
{
    diagnostic(err_style_.paint(Paint::red, "steward:") + " " + printable(message, err_style_.unicode) + "\n");
}

}  // namespace steward::cli
