#include "supervise/log_stream.hpp"

#include <algorithm>

#include "log/log_file.hpp"
#include "log/stamper.hpp"

namespace steward::supervise {

namespace {

constexpr std::chrono::seconds retry_pause{1};

}  // namespace

LogStream::LogStream(os::EventLoop& loop, log::EventLog& events, const std::string& service, log::Pump pump, LogCompression compression)
    : loop_(loop),
      events_(events),
      service_(service),
      pump_(std::move(pump)),
      packer_(events, service, {.path = pump_.options().path, .system_scope = pump_.options().system_scope}, compression)
{
}

LogStream::~LogStream()
{
    loop_.cancel(watch_);
    loop_.cancel(retry_);
    loop_.cancel(report_);
    loop_.cancel(look_);
}

Result<void> LogStream::open()
{
    auto opened = pump_.open();
    if (watch_ == 0) {
        auto watch = loop_.on_readable(pump_.fifo(), [this] { readable(); });
        if (!watch) return fail(watch.error());
        watch_ = *watch;
    }
    if (!opened && pump_.owes()) settle(opened);
    if (opened) packer_.look();
    return opened;
}

void LogStream::readable()
{
    if (retry_ != 0) return pump_.absorb();
    const auto moved = pump_.move();
    settle(moved ? Result<void>() : Result<void>(tl::unexpected(moved.error())));
}

void LogStream::try_again()
{
    retry_ = 0;
    readable();
}

void LogStream::drain()
{
    if (watch_ != 0) settle(pump_.drain());
}

Result<void> LogStream::rotate()
{
    drain();
    auto rotated = pump_.rotate();
    look_at_rotation();
    return rotated;
}

Result<void> LogStream::reopen()
{
    drain();
    return pump_.reopen();
}

// The fault is told when it begins and when it has passed. It is looked at again only while something waits to be written.
void LogStream::settle(const Result<void>& outcome)
{
    if (!outcome) {
        pump_.absorb();
        if (!faulted_)
            events_.error(service_, outcome.error().message() + ": output is kept in memory, up to 1 MiB, until it can be written");
        faulted_ = true;
        if (retry_ == 0 && pump_.owes()) retry_ = loop_.after(retry_pause, [this] { try_again(); });
    } else {
        loop_.cancel(std::exchange(retry_, 0));
        // How much was lost is not known before the end of the line that was dropped in part.
        const auto loss = pump_.take_loss();
        if (loss || (faulted_ && !pump_.owes())) {
            faulted_ = false;
            const std::string lost = std::to_string(loss.lines) + " lines (" + std::to_string(loss.bytes) + " bytes) were lost";
            events_.warning(service_, "its log is written again: " + (loss ? lost : "nothing was lost"));
        }
    }
    look_at_rotation();
    look_at_limit();
    look_at_lines();
}

void LogStream::look_at_lines()
{
    if (lines_) lines_->read(pump_.log(), told_);
}

// What is there already is looked at soon, not from within this call.
void LogStream::watch_lines(LogLines::Told told)
{
    loop_.cancel(std::exchange(look_, 0));
    lines_.reset();
    told_ = std::move(told);
    if (!told_) return;
    lines_.emplace(launch_, pump_.options().timestamps);
    look_ = loop_.after(Duration::zero(), [this] {
        look_ = 0;
        look_at_lines();
    });
}

// The log says how much was dropped when the time is over, also when nothing more comes.
void LogStream::look_at_limit()
{
    const auto due = pump_.report_after();
    if (!due || report_ != 0) return;
    if (!std::exchange(limit_told_, true))
        events_.warning(service_, "it writes more lines than its rate-limit: its log says how many are dropped");
    report_ = loop_.after(faulted_ ? std::max<std::chrono::microseconds>(*due, retry_pause) : *due, [this] {
        report_ = 0;
        readable();
    });
}

void LogStream::look_at_rotation()
{
    const auto fault = pump_.take_rotation_fault();
    if (fault && !rotation_faulted_) events_.error(service_, fault->message() + ": it is written on");
    const bool rotated = pump_.take_rotated();
    rotation_faulted_ = fault || (rotation_faulted_ && !rotated);
    if (rotated) packer_.look();
}

void LogStream::begin_launch()
{
    drain();
    static_cast<void>(pump_.begin_launch());
    const auto log = os::info(pump_.log()).value_or(os::FileInfo{});
    launch_ = {.device = log.device, .inode = log.inode, .offset = log.size};
}

std::vector<std::string> LogStream::last_lines(unsigned count)
{
    drain();
    const auto now = os::info(pump_.log());
    if (!now) return {};
    // Another log since then has lines of this launch only.
    const bool same = now->inode == launch_.inode && now->device == launch_.device;
    auto lines = log::last_lines_after(pump_.log(), same ? launch_.offset : 0, count);
    if (!lines) return {};
    for (std::string& line : *lines) line.erase(0, log::stamp_length(line, pump_.options().timestamps));
    return std::move(*lines);
}

}  // namespace steward::supervise
