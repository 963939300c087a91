#include <algorithm>

#include "cli/render.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

std::string origin(const ResolvedKey& key)
{
    if (key.file.empty()) return "default";
    return key.line == 0 ? key.file : key.file + ":" + std::to_string(key.line);
}

// "restart" of "restart.delay"; the tables of systemd's settings have names of two words, and sockets are numbered.
std::string table_of(const std::string& path)
{
    const std::size_t words = path.starts_with("systemd.") || path.starts_with("socket.") ? path.find('.') + 1 : 0;
    return path.substr(0, path.find('.', words));
}

std::string title_of(const std::string& table)
{
    return table.starts_with("socket.") ? "[[socket]]" : "[" + table + "]";
}

}  // namespace

std::string render_show(const ShownService& service, const Style& style)
{
    constexpr std::size_t furthest = 48;  // a long value does not push the comments of all others aside
    const std::string file = service.service_file.empty() ? "no service file" : service.service_file;
    std::string text = "# " + printable(service.name + ": " + file, style.unicode) + "\n";

    const auto assignment = [&](const ResolvedKey& key) {
        return printable(key.path.substr(std::min(table_of(key.path).size() + 1, key.path.size())) + " = " + key.value, style.unicode);
    };
    std::size_t column = 0;
    for (const ResolvedKey& key : service.keys) {
        const std::size_t width = columns(assignment(key));
        if (width <= furthest) column = std::max(column, width);
    }

    std::string table;
    for (const ResolvedKey& key : service.keys) {
        if (table_of(key.path) != table) {
            table = table_of(key.path);
            text += "\n" + style.paint(Paint::bold, printable(title_of(table), style.unicode)) + "\n";
        }
        // A key that has no value and no default is told all the same, as a comment: the output stays a service file.
        const std::string line = key.value.empty() ? "# " + assignment(key) + "(not set)" : assignment(key);
        text += padded(line, column) + "  # " + printable(origin(key), style.unicode) + "\n";
    }
    return text;
}

}  // namespace steward::cli
