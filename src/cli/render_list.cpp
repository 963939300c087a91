#include <algorithm>
#include <array>

#include "cli/render.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

enum Column : std::size_t { name, state, pid, since, restarts, memory, description, column_count };
constexpr std::array<std::string_view, column_count> titles = {"NAME", "STATE", "PID", "SINCE", "RESTARTS", "MEMORY", "DESCRIPTION"};
constexpr std::size_t gap = 2;
constexpr std::size_t least_description = 12;

using Row = std::array<std::string, column_count>;

bool is_number(std::size_t column)
{
    return column == pid || column == restarts || column == memory;
}

Row row_of(const ServiceStatus& status, TimePoint now, const Style& style)
{
    Row row;
    row[name] = printable(status.name, style.unicode);
    row[state] = to_string(status.state);
    row[pid] = status.main_pid != 0 ? std::to_string(status.main_pid) : "-";
    row[since] = status.since ? ago(*status.since, now) : "-";
    row[restarts] = std::to_string(status.restarts);
    row[memory] = status.memory ? size_text(*status.memory) : "-";
    row[description] = printable(status.description, style.unicode);
    return row;
}

// Which columns are shown, how wide. What matters least goes first; the name and the state always stay.
struct Layout {
    std::array<std::size_t, column_count> widths{};
    std::array<bool, column_count> shown{};

    [[nodiscard]] std::size_t total() const
    {
        std::size_t sum = 0;
        for (std::size_t column = 0; column < column_count; ++column) {
            if (shown[column]) sum += widths[column] + (sum > 0 ? gap : 0);
        }
        return sum;
    }
};

Layout layout_of(std::span<const Row> rows, const Style& style, bool verbose)
{
    Layout layout;
    layout.shown.fill(true);
    for (std::size_t column = 0; column < column_count; ++column) {
        layout.widths[column] = titles[column].size();
        for (const Row& row : rows) layout.widths[column] = std::max(layout.widths[column], columns(row[column]));
    }
    if (style.width == 0 || verbose || layout.total() <= style.width) return layout;

    const std::size_t others = layout.total() - layout.widths[description];
    if (others + least_description <= style.width) {
        layout.widths[description] = style.width - others;
        return layout;
    }
    for (const std::size_t column : {description, memory, restarts, since, pid}) {
        if (layout.total() <= style.width) break;
        layout.shown[column] = false;
    }
    return layout;
}

std::string line_of(const Row& row, const Layout& layout, const Style& style, Paint paint)
{
    std::string line;
    std::size_t pending = 0;  // spaces that are written only when something follows
    for (std::size_t column = 0; column < column_count; ++column) {
        if (!layout.shown[column]) continue;
        const std::string cell = column == description ? cut(row[column], layout.widths[column], style.unicode) : row[column];
        const std::size_t fill = layout.widths[column] - std::min(layout.widths[column], columns(cell));
        if (is_number(column)) pending += fill;
        if (!cell.empty()) {
            line.append(pending, ' ');
            line += column == state ? style.paint(paint, cell) : cell;
            pending = 0;
        }
        pending += gap + (is_number(column) ? 0 : fill);
    }
    return line + "\n";
}

std::string table_of(std::span<const Row> rows, std::span<const Paint> paints, const Style& style, bool verbose)
{
    const Layout layout = layout_of(rows, style, verbose);
    Row header;
    std::copy(titles.begin(), titles.end(), header.begin());
    std::string text = line_of(header, layout, style, Paint::plain);
    for (std::size_t index = 0; index < rows.size(); ++index) text += line_of(rows[index], layout, style, paints[index]);
    return text;
}

// What a service hangs on, and is none: steward knows nothing of it.
Row missing_row()
{
    Row row;
    row.fill("-");
    row[state] = "missing";
    row[description].clear();
    return row;
}

}  // namespace

std::string render_list(std::span<const ServiceStatus> services, TimePoint now, const Style& style, bool verbose)
{
    std::vector<Row> rows;
    std::vector<Paint> paints;
    for (const ServiceStatus& status : services) {
        rows.push_back(row_of(status, now, style));
        paints.push_back(paint_of(status.state));
    }
    return table_of(rows, paints, style, verbose);
}

std::string render_tree(std::span<const Twig> twigs, const std::map<std::string, ServiceStatus>& services, TimePoint now,
                        const Style& style, bool verbose)
{
    std::vector<Row> rows;
    std::vector<Paint> paints;
    for (const Twig& twig : twigs) {
        const auto found = services.find(twig.name);
        const bool known = found != services.end();
        Row row = known ? row_of(found->second, now, style) : missing_row();
        row[name] = twig.lead + printable(twig.name, style.unicode) + (twig.note.empty() ? "" : " (" + twig.note + ")");
        rows.push_back(std::move(row));
        paints.push_back(known ? paint_of(found->second.state) : Paint::red);
    }
    return table_of(rows, paints, style, verbose);
}

}  // namespace steward::cli
