#include "supervise/file_stream.hpp"

#include "log/log_file.hpp"
#include "log/stamper.hpp"

namespace steward::supervise {

FileStream::FileStream(os::EventLoop& loop, log::EventLog& events, const std::string& service, std::unique_ptr<log::Pump> pump,
                       LogCompression compression)
    : OutputStream(loop, events, service, std::move(pump)),
      pump_(static_cast<log::Pump&>(intake())),
      packer_(events, service, {.path = pump_.options().path, .system_scope = pump_.options().system_scope}, compression)
{
    pump_.before_rotation([this] { look_at_lines(); });
}

FileStream::~FileStream()
{
    loop().cancel(look_);
}

Result<void> FileStream::open()
{
    auto opened = OutputStream::open();
    if (opened) look_at_packing();
    return opened;
}

Result<void> FileStream::rotate()
{
    drain();
    auto rotated = pump_.rotate();
    look_at_rotation();
    return rotated;
}

Result<void> FileStream::reopen()
{
    drain();
    return pump_.reopen();
}

void FileStream::settled(const Result<void>& /*outcome*/)
{
    look_at_rotation();
    look_at_lines();
}

void FileStream::look_at_lines()
{
    if (lines_) lines_->read(pump_.log(), told_);
}

// What is there already is looked at soon, not from within this call.
void FileStream::watch_lines(const LogLines::Told& told)
{
    loop().cancel(std::exchange(look_, 0));
    lines_.reset();
    told_ = told;
    if (!told_) return;
    lines_.emplace(launch_, pump_.options().timestamps, pump_.options().path);
    look_ = loop().after(Duration::zero(), [this] {
        look_ = 0;
        look_at_lines();
    });
}

void FileStream::look_at_rotation()
{
    const auto fault = pump_.take_rotation_fault();
    if (fault && !rotation_faulted_) events().error(service(), fault->message() + ": it is written on");
    const bool rotated = pump_.take_rotated();
    rotation_faulted_ = fault || (rotation_faulted_ && !rotated);
    if (rotated) look_at_packing();
}

void FileStream::hold_packing(bool hold)
{
    packer_.hold(hold);
    look_at_packing();
}

void FileStream::look_at_packing()
{
    if (takes()) packer_.look();
}

void FileStream::begin_launch()
{
    drain();
    static_cast<void>(pump_.begin_launch());
    const auto log = os::info(pump_.log()).value_or(os::FileInfo{});
    launch_ = {.device = log.device, .inode = log.inode, .offset = log.size};
}

std::vector<std::string> FileStream::last_lines(unsigned count)
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
