// What `logs` writes: lines as the services wrote them, with their times, or one JSON object each.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <steward/manager.hpp>

#include "cli/answers.hpp"
#include "cli/arguments.hpp"
#include "cli/console.hpp"

namespace steward::cli {

// Text that goes to no terminal keeps every byte. With several services each line has its service's name before it.
class LogPrinter : public LogSink {
  public:
    enum class Form { text, json, nothing };
    using Fault = std::function<void(const std::string& service, const Error& error)>;
    LogPrinter(Console& console, Form form, const std::vector<Target>& targets, Fault on_fault);

    bool line(const LogLine& line) override;
    bool caught_up() override;
    void fault(const std::string& service, const Error& error) override;

  private:
    void begin_line(const LogLine& line);

    Console& console_;
    Form form_;
    Fault on_fault_;
    std::map<std::string, std::string, std::less<>> prefixes_;  // by service; empty for a single one
    std::string waiting_;
    bool within_ = false;  // the last line has not ended
};

// The verb: the logs of those `targets` that were found. `on_fault` gets the rest, too.
void print_logs(const Arguments& arguments, const Manager& manager, Answers<Target> targets, LogPrinter::Form form,
                std::chrono::system_clock::time_point now, Console& console, LogPrinter::Fault on_fault);

}  // namespace steward::cli
