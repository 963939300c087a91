#include "cli/log_printer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <steward/words.hpp>

#include "cli/json.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

constexpr std::size_t enough = std::size_t{64} * 1024;  // then it is written: a system call a line would cost more than the rest

constexpr std::array colours = {Paint::cyan, Paint::magenta, Paint::green, Paint::yellow, Paint::blue};

}  // namespace

LogPrinter::LogPrinter(Console& console, Form form, const std::vector<Target>& targets, Fault on_fault)
    : console_(console), form_(form), on_fault_(std::move(on_fault))
{
    std::size_t width = 0;
    for (const Target& target : targets) width = std::max(width, target.name.size());
    std::size_t colour = 0;
    for (const Target& target : targets) {
        const std::string name = padded(target.name, width) + " |";
        prefixes_[target.name] = targets.size() == 1 ? "" : console_.out_style().paint(colours[colour++ % colours.size()], name) + " ";
    }
}

void LogPrinter::begin_line(const LogLine& line)
{
    // While a line of megabytes is still being written, others come.
    if (within_) waiting_ += '\n';
    if (const auto prefix = prefixes_.find(line.service); prefix != prefixes_.end()) waiting_ += prefix->second;
    if (line.time) waiting_ += utc_time(*line.time) + " ";
    if (line.stream == LogLine::Stream::events) waiting_ += console_.out_style().paint(Paint::bold, "steward:") + " ";
}

bool LogPrinter::line(const LogLine& line)
{
    switch (form_) {
        case Form::nothing: return true;
        case Form::json: waiting_ += log_line_json(line, console_.out_style()); break;
        case Form::text:
            if (line.begins) begin_line(line);
            if (console_.out_style().terminal)
                waiting_ += printable(line.text, console_.out_style().unicode);
            else
                waiting_ += line.text;
            if (line.ends) waiting_ += '\n';
            within_ = !line.ends;
            break;
    }
    return waiting_.size() < enough || caught_up();
}

bool LogPrinter::caught_up()
{
    console_.result(waiting_);
    waiting_.clear();
    return console_.results_written();
}

void LogPrinter::fault(const std::string& service, const Error& error)
{
    static_cast<void>(caught_up());  // what came before it stands before it
    if (form_ == Form::json) console_.result(log_fault_json(service, error, console_.out_style()));
    on_fault_(service, error);
}

void print_logs(const Arguments& arguments, const Manager& manager, Answers<Target> targets, LogPrinter::Form form,
                std::chrono::system_clock::time_point now, Console& console, LogPrinter::Fault on_fault)
{
    std::vector<Target> services;
    for (Answer<Target>& target : targets) {
        if (target.result) services.push_back(std::move(*target.result));
    }
    LogPrinter printer(console, form, services, std::move(on_fault));
    for (const Answer<Target>& target : targets) {
        if (!target.result) printer.fault(target.name, target.result.error());
    }
    if (services.empty()) return;
    LogOptions options{.lines = arguments.lines, .follow = arguments.follow, .pattern = arguments.grep, .reader = console.out_descriptor()};
    if (!arguments.since.empty()) options.since = parse_time(arguments.since, now);
    if (!arguments.until.empty()) options.until = parse_time(arguments.until, now);
    if (const auto shown = manager.logs(services, options, printer); !shown) printer.fault("", shown.error());
    static_cast<void>(printer.caught_up());
}

}  // namespace steward::cli
