#include "cli/render.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

constexpr std::string_view indent = "    ";
constexpr std::size_t label_width = 10;
constexpr std::string_view log_lead = "      | ";
constexpr std::size_t log_rows = 3;

// The lines below the headline, each "label  value", wrapped beside its label.
class Block {
  public:
    explicit Block(const Style& style) : style_(style) {}

    void line(std::string_view label, std::string_view value, Paint paint = Paint::plain)
    {
        if (value.empty()) return;
        std::string lead = padded(std::string(indent) + std::string(label), indent.size() + (label.empty() ? 0 : label_width));
        for (const std::string& piece : wrap_words(printable(value, style_.unicode), room_beside(lead.size()))) {
            text_ += lead + style_.paint(paint, piece) + "\n";
            lead.assign(lead.size(), ' ');
        }
    }

    void log_line(std::string_view value, bool whole)
    {
        const std::size_t room = room_beside(log_lead.size());
        std::string shown = printable(value, style_.unicode);
        if (room > 0 && !whole) shown = cut(shown, room * log_rows, style_.unicode);
        std::string lead(log_lead);
        for (const std::string& piece : wrap(shown, room)) {
            text_ += lead + piece + "\n";
            lead.assign(log_lead.size(), ' ');
        }
    }

    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    // A terminal too narrow for both gets them unwrapped: it breaks lines itself.
    [[nodiscard]] std::size_t room_beside(std::size_t lead) const { return style_.width > lead + 10 ? style_.width - lead : 0; }

    const Style& style_;
    std::string text_;
};

std::string joined(std::initializer_list<std::string> parts)
{
    std::string text;
    for (const std::string& part : parts) {
        if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
    }
    return text;
}

// "● web: running since 2026-01-02 03:04:05 UTC (2 h 3 min ago)"; what a narrow terminal has no room for is left out.
std::string headline(const ServiceStatus& status, TimePoint now, const Style& style)
{
    const std::string mark = mark_of(status.state, style);
    const std::string name = printable(status.name, style.unicode);
    const std::string state(to_string(status.state));
    std::string exit;
    if (status.state == ServiceState::failed && status.last_exit) exit = ", " + to_string(*status.last_exit);
    const std::string since_ago = status.since ? " (" + ago(*status.since, now) + ")" : "";
    std::string since = status.since ? (exit.empty() ? "" : ",") + (" since " + local_time(*status.since)) + since_ago : "";

    const std::size_t used = columns(mark + " " + name + ": " + state);
    const auto too_wide = [&] { return style.width > 0 && used + columns(exit + since) > style.width; };
    if (too_wide()) since = since_ago;
    if (too_wide()) exit.clear();
    const Paint paint = paint_of(status.state);
    return style.paint(paint, mark) + " " + style.paint(Paint::bold, name) + ": " + style.paint(paint, state) + exit + since + "\n";
}

void describe_steward(const ServiceStatus& status, Block& block)
{
    const Paint paint = status.boot == "masked" ? Paint::yellow : Paint::plain;
    block.line("init", joined({status.init_system, status.boot}), paint);
    if (status.main_pid == 0) return;
    if (!status.init_system.empty() && !status.supervisor_alive) return;
    if (!status.supervised) return block.line("steward", "none (supervise = false)");
    if (!status.supervisor_alive) {
        return block.line("steward", "none: keeper and supervisor are gone (try: steward start " + status.name + ")", Paint::yellow);
    }
    block.line("steward", joined({status.supervisor_pid != 0 ? "supervisor " + std::to_string(status.supervisor_pid) : "",
                                  status.keeper_pid != 0 ? "keeper " + std::to_string(status.keeper_pid) : ""}));
}

void describe_restarts(const ServiceStatus& status, TimePoint now, Block& block)
{
    if (status.next_start) {
        const auto left = std::chrono::duration_cast<Duration>(*status.next_start - now);
        block.line("next", left.count() <= 0 ? "starts again now" : "starts again in " + duration_text(left), Paint::yellow);
    }
    std::string text = status.restarts > 0 ? std::to_string(status.restarts) : std::string{};
    if (status.last_exit) {
        text = joined({text, "last exit: " + to_string(*status.last_exit)});
        if (status.last_exit->at != TimePoint{}) text += ", " + ago(status.last_exit->at, now);
    }
    block.line("restarts", status.restarts == 0 && !text.empty() ? "0, " + text : text);
}

// "12.3 MiB of 64.0 MiB (peak 40.1 MiB)"
std::string memory_text(const ServiceStatus& status)
{
    std::string text = size_text(*status.memory);
    if (status.memory_limit) text += " of " + size_text(*status.memory_limit);
    if (status.memory_peak) text += " (peak " + size_text(*status.memory_peak) + ")";
    return text;
}

void describe_resources(const ServiceStatus& status, Block& block)
{
    const std::string tasks_limit = status.tasks_limit ? " of " + std::to_string(*status.tasks_limit) : "";
    block.line(status.memory ? "memory" : "cpu", joined({status.memory ? memory_text(status) : "",
                                                         status.cpu ? (status.memory ? "cpu " : "") + duration_text(*status.cpu) : "",
                                                         status.tasks ? "tasks " + std::to_string(*status.tasks) + tasks_limit : ""}));
    if (status.memory_kills > 0) block.line("killed", std::to_string(status.memory_kills) + " for want of memory", Paint::yellow);
}

void describe_files(const ServiceStatus& status, bool verbose, Block& block)
{
    if (status.service_file.empty()) {
        block.line("file", "none (started by its command)");
    } else if (status.service_file_gone) {
        block.line("file", status.service_file + " (gone since the start)", Paint::yellow);
    } else if (status.service_file_changed) {
        block.line("file", status.service_file + " (changed since the start; try: steward apply " + status.name + ")", Paint::yellow);
    } else {
        block.line("file", status.service_file);
    }
    if (status.unit_stale)
        block.line("unit", "made of another version of the file (try: steward apply " + status.name + ")", Paint::yellow);
    if (verbose) {
        block.line("pid file", status.pid_file);
        block.line("scope", status.scope == Scope::user ? "user" : "system");
    }
    block.line("log", status.log_file);
}

}  // namespace

Paint paint_of(ServiceState state)
{
    switch (state) {
        case ServiceState::running: return Paint::green;
        case ServiceState::starting:
        case ServiceState::reloading:
        case ServiceState::stopping:
        case ServiceState::backing_off: return Paint::yellow;
        case ServiceState::failed:
        case ServiceState::dead:
        case ServiceState::unknown: return Paint::red;
        case ServiceState::stopped:
        case ServiceState::finished: return Paint::plain;
    }
    return Paint::plain;
}

std::string mark_of(ServiceState state, const Style& style)
{
    if (state == ServiceState::unknown) return "?";
    switch (paint_of(state)) {
        case Paint::green: return style.unicode ? "●" : "*";
        case Paint::yellow: return style.unicode ? "↻" : "~";
        case Paint::red: return style.unicode ? "×" : "x";
        default: return style.unicode ? "○" : "o";
    }
}

bool is_in_trouble(const ServiceStatus& status)
{
    const bool alone = status.state == ServiceState::running && status.supervised && !status.supervisor_alive;
    const bool cannot_start = status.state == ServiceState::stopped && !status.reason.empty();
    return alone || cannot_start || status.state == ServiceState::backing_off || paint_of(status.state) == Paint::red;
}

std::string render_status(const ServiceStatus& status, TimePoint now, const Style& style, bool verbose)
{
    Block block(style);
    block.line("", status.description);
    // What a running service has to tell is on its lines below.
    if (status.state != ServiceState::running) block.line("reason", status.reason, paint_of(status.state));
    block.line(status.main_pid != 0 ? "process" : "command",
               (status.main_pid != 0 ? std::to_string(status.main_pid) + " " : std::string{}) + shell_words(status.command));
    block.line("says", status.status_text);
    if (status.healthy) block.line("health", *status.healthy ? "good" : "failing", *status.healthy ? Paint::plain : Paint::red);
    describe_steward(status, block);
    describe_restarts(status, now, block);
    describe_resources(status, block);
    describe_files(status, verbose, block);
    for (const std::string& line : status.last_lines) block.log_line(line, verbose);
    return headline(status, now, style) + block.text();
}

}  // namespace steward::cli
