#include "init/quote.hpp"

#include <algorithm>

namespace steward::init {

namespace {

bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_@%+:,./-").find(c) != std::string_view::npos;
}

bool is_control(char c)
{
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// systemd.syntax(7), "Quoting"; specifiers are expanded inside quotes too.
std::string in_systemd_quotes(std::string_view text, bool double_dollar)
{
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_control(c)) {
            quoted += "\\x";
            quoted += digits[byte >> 4U];
            quoted += digits[byte & 15U];
            continue;
        }
        if (c == '"' || c == '\\') quoted += '\\';
        if (c == '%' || (c == '$' && double_dollar)) quoted += c;
        quoted += c;
    }
    return quoted + '"';
}

}  // namespace

std::string shell_word(std::string_view text)
{
    if (!text.empty() && std::ranges::all_of(text, is_plain)) return std::string(text);
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'') {
            quoted += "'\\''";
        } else {
            quoted += c;
        }
    }
    return quoted + "'";
}

std::string shell_words(const Argv& words)
{
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
    return line;
}

std::string systemd_argument(std::string_view text)
{
    const bool plain = !text.empty() && text.find('%') == std::string_view::npos && std::ranges::all_of(text, is_plain);
    return plain ? std::string(text) : in_systemd_quotes(text, true);
}

std::string systemd_program(std::string_view path)
{
    const bool plain = path.find('%') == std::string_view::npos && std::ranges::all_of(path, is_plain);
    return plain ? std::string(path) : in_systemd_quotes(path, false);
}

bool is_systemd_program(std::string_view path)
{
    // '$' is also looked for in argv[0], which is the path; the others systemd refuses in the path of a program.
    const bool safe =
        std::ranges::none_of(path, [](char c) { return is_control(c) || std::string_view("\"'\\$").find(c) != std::string_view::npos; });
    if (!safe || path.empty()) return false;
    if (path.front() == '/') return path.back() != '/';
    return path.find('/') == std::string_view::npos && std::string_view("@-:+!|").find(path.front()) == std::string_view::npos;
}

std::string systemd_item(std::string_view text)
{
    return in_systemd_quotes(text, false);
}

bool is_systemd_variable(std::string_view name, std::string_view value)
{
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && (name.front() < '0' || name.front() > '9') && std::ranges::all_of(name, fits) &&
           std::ranges::none_of(value, [](char c) { return is_control(c) && c != '\t'; });
}

std::string systemd_line(std::string_view text)
{
    std::string line;
    for (const char c : text) {
        if (c == '%') line += c;
        line += c;
    }
    return line;
}

bool is_systemd_line(std::string_view text)
{
    return !text.empty() && text.front() != ' ' && text.back() != ' ' && text.back() != '\\' && std::ranges::none_of(text, is_control);
}

std::string octal(unsigned value)
{
    std::string digits;
    for (; value != 0; value /= 8) digits.insert(digits.begin(), static_cast<char>('0' + value % 8));
    return "0" + digits;
}

std::string comment(std::string_view text)
{
    std::string line(text);
    std::ranges::replace_if(line, is_control, '?');
    return line;
}

}  // namespace steward::init
