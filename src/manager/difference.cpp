#include "manager/difference.hpp"

#include <algorithm>
#include <cstddef>

namespace steward::manager {

namespace {

constexpr std::size_t context = 3;
constexpr std::size_t most_cells = 4'000'000;  // beyond, everything between the first and the last change is one
constexpr std::string_view no_newline = "\\ No newline at end of file";

using Lines = std::vector<std::string_view>;

Lines split(std::string_view text)
{
    Lines lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        // A last line without its newline is another line than the same with one.
        lines.push_back(text.substr(0, std::min(end + 1, text.size())));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

// One line of the diff: ' ', '-' or '+', and the line.
struct Edit {
    char kind = ' ';
    std::string_view line;
};
using Edits = std::vector<Edit>;

// The longest common subsequence of what lies between, by its lengths from the end.
void compare(const Lines& before, const Lines& after, std::size_t head, std::size_t tail, Edits& edits)
{
    const std::size_t rows = before.size() - head - tail;
    const std::size_t columns = after.size() - head - tail;
    const auto old_line = [&](std::size_t row) { return before[head + row]; };
    const auto new_line = [&](std::size_t column) { return after[head + column]; };
    const bool affordable = rows == 0 || columns <= most_cells / rows;
    std::vector<unsigned> lengths(affordable ? (rows + 1) * (columns + 1) : 0);
    const auto length = [&](std::size_t row, std::size_t column) -> unsigned& { return lengths[row * (columns + 1) + column]; };
    for (std::size_t row = rows; affordable && row-- > 0;) {
        for (std::size_t column = columns; column-- > 0;) {
            length(row, column) = old_line(row) == new_line(column) ? length(row + 1, column + 1) + 1
                                                                    : std::max(length(row + 1, column), length(row, column + 1));
        }
    }
    std::size_t row = 0;
    std::size_t column = 0;
    while (row < rows || column < columns) {
        const bool both = row < rows && column < columns;
        if (affordable && both && old_line(row) == new_line(column)) {
            edits.push_back({' ', old_line(row++)});
            ++column;
        } else if (row < rows && (column == columns || !affordable || length(row + 1, column) >= length(row, column + 1))) {
            edits.push_back({'-', old_line(row++)});
        } else {
            edits.push_back({'+', new_line(column++)});
        }
    }
}

Edits edits_between(const Lines& before, const Lines& after)
{
    const std::size_t least = std::min(before.size(), after.size());
    std::size_t head = 0;
    while (head < least && before[head] == after[head]) ++head;
    std::size_t tail = 0;
    while (tail < least - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) ++tail;
    Edits edits;
    for (std::size_t i = 0; i < head; ++i) edits.push_back({' ', before[i]});
    compare(before, after, head, tail, edits);
    for (std::size_t i = before.size() - tail; i < before.size(); ++i) edits.push_back({' ', before[i]});
    return edits;
}

// "@@ -1,3 +1,4 @@". A hunk without lines of one side is said to stand behind the line before it.
std::string heading(std::size_t old_first, std::size_t old_count, std::size_t new_first, std::size_t new_count)
{
    const auto range = [](std::size_t first, std::size_t count) {
        const std::string begin = std::to_string(count == 0 ? first : first + 1);
        return count == 1 ? begin : begin + "," + std::to_string(count);
    };
    return "@@ -" + range(old_first, old_count) + " +" + range(new_first, new_count) + " @@";
}

void add_line(std::vector<std::string>& lines, const Edit& edit)
{
    const bool ends = edit.line.ends_with('\n');
    lines.push_back(edit.kind + std::string(edit.line.substr(0, edit.line.size() - (ends ? 1 : 0))));
    if (!ends) lines.emplace_back(no_newline);
}

}  // namespace

std::vector<std::string> difference(const std::string& path, std::string_view before, std::string_view after)
{
    if (before == after) return {};
    const Lines old_lines = split(before);
    const Lines new_lines = split(after);
    const Edits edits = edits_between(old_lines, new_lines);
    std::vector<std::string> lines{"--- " + path, "+++ " + path};
    std::size_t old_line = 0;
    std::size_t new_line = 0;
    const auto skip = [&](const Edit& edit) {
        old_line += edit.kind != '+' ? 1 : 0;
        new_line += edit.kind != '-' ? 1 : 0;
    };
    for (std::size_t at = 0; at < edits.size();) {
        // A hunk begins with the context before a change, and goes on over changes whose contexts would touch.
        std::size_t change = at;
        while (change < edits.size() && edits[change].kind == ' ') ++change;
        if (change == edits.size()) break;
        const std::size_t begin = change - std::min(context, change - at);
        std::size_t end = change;
        for (std::size_t next = change; next < edits.size() && next <= end + 2 * context; ++next) {
            if (edits[next].kind != ' ') end = next;
        }
        end = std::min(end + 1 + context, edits.size());
        for (; at < begin; ++at) skip(edits[at]);
        const std::size_t old_first = old_line;
        const std::size_t new_first = new_line;
        std::vector<std::string> hunk;
        for (; at < end; ++at) {
            add_line(hunk, edits[at]);
            skip(edits[at]);
        }
        lines.push_back(heading(old_first, old_line - old_first, new_first, new_line - new_first));
        lines.insert(lines.end(), hunk.begin(), hunk.end());
    }
    return lines;
}

}  // namespace steward::manager
