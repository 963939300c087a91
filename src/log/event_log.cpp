#include "log/event_log.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <ctime>
#include <optional>

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/syslog_sink.h>

#include "log/log_file.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"
#include "os/shortage.hpp"

namespace steward::log {

namespace {

constexpr const char* pattern = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr const char* syslog_socket = "/dev/log";

// Where an event goes for which nothing can be allocated. -1: nowhere yet.
int urgent_events = -1;

void tell_of_no_memory() noexcept
{
    const os::BorrowedFd events(urgent_events);
    if (!events || !os::can_write_now(events)) return;
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 96> line{};
    const auto size = std::strftime(line.data(), line.size(), "%Y-%m-%dT%H:%M:%S.000Z error there is no memory: waiting for it\n", &utc);
    (void)os::write_all(events, std::string_view(line.data(), size));
}

// Writes to a log that open_log made, never to a path of its own finding; one write an event, so that supervisors may share the file.
class LogFileSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    explicit LogFileSink(std::string path) : path_(std::move(path)) {}

  private:
    void sink_it_(const spdlog::details::log_msg& message) override
    {
        follow_rotation();
        if (!file_) return;
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        (void)os::write_all(file_, std::string_view(line.data(), line.size()));  // events never fail a service
    }
    void flush_() override {}

    void follow_rotation()
    {
        if (file_) {
            const auto there = os::info_at(path_);
            const auto ours = os::info(file_);
            if (there && *there && ours && (*there)->device == ours->device && (*there)->inode == ours->inode) return;
            file_.reset();
        }
        if (auto opened = open_log({.path = path_, .system_scope = true})) file_ = std::move(*opened);
        urgent_events = file_.get();
    }

    std::string path_;
    os::UniqueFd file_;
};

class StandardErrorSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
    void sink_it_(const spdlog::details::log_msg& message) override
    {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        // A terminal that stands still, or a pipe that nobody reads, must not hold up the supervisor: then the event is lost.
        if (!os::can_write_now(os::BorrowedFd(2))) return;
        const std::size_t size = std::min<std::size_t>(line.size(), PIPE_BUF);
        if (size < line.size()) line[size - 1] = '\n';
        (void)os::write_all(os::BorrowedFd(2), std::string_view(line.data(), size));
    }
    void flush_() override {}
};

// One line an event, whatever a program or a file name has put into it.
std::string one_line(const std::string& text)
{
    static constexpr char digits[] = "0123456789abcdef";
    std::string line;
    line.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f)
            line += c;
        else
            line.append("\\x").append({digits[byte >> 4], digits[byte & 15]});
    }
    return line;
}

}  // namespace

struct EventLog::Impl {
    Sink sink;
    std::string path;
    std::optional<spdlog::logger> logger;  // not of spdlog's registry, which would cost every start

    void open()
    {
        std::vector<spdlog::sink_ptr> sinks;
        if (sink == Sink::standard_error)
            sinks.push_back(std::make_shared<StandardErrorSink>());
        else
            sinks.push_back(std::make_shared<LogFileSink>(path));
        const auto socket = os::info_at(syslog_socket, true);
        if (sink == Sink::file_and_syslog && socket && *socket) {
            sinks.push_back(std::make_shared<spdlog::sinks::syslog_sink_st>("steward", LOG_PID, LOG_DAEMON, false));
        }
        logger.emplace("steward", sinks.begin(), sinks.end());
        logger->set_error_handler([](const std::string&) {});
        logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
    }

    void write(spdlog::level::level_enum level, const std::string& service, const std::string& message)
    {
        try {
            if (!logger) open();
            const std::string line = one_line(service.empty() ? message : service + ": " + message);
            logger->log(level, spdlog::string_view_t(line.data(), line.size()));
        } catch (...) {
            // spdlog throws; an event is not worth a service.
        }
    }
};

EventLog::EventLog(Sink sink, std::string path)
    : impl_(std::make_unique<Impl>(Impl{.sink = sink, .path = std::move(path), .logger = std::nullopt}))
{
}
EventLog::~EventLog() = default;
EventLog::EventLog(EventLog&&) noexcept = default;
EventLog& EventLog::operator=(EventLog&&) noexcept = default;

void EventLog::info(const std::string& service, const std::string& message)
{
    impl_->write(spdlog::level::info, service, message);
}

void EventLog::warning(const std::string& service, const std::string& message)
{
    impl_->write(spdlog::level::warn, service, message);
}

void EventLog::tell_of_missing_memory()
{
    if (impl_->sink == Sink::standard_error) urgent_events = 2;
    os::wait_for_memory(tell_of_no_memory);
}

void EventLog::error(const std::string& service, const std::string& message)
{
    impl_->write(spdlog::level::err, service, message);
}

}  // namespace steward::log
