#include "supervise/sent_stream.hpp"

#include <cerrno>

namespace steward::supervise {

namespace {

constexpr std::chrono::seconds patience{1};
constexpr std::chrono::seconds retry_pause{1};

}  // namespace

SentStream::SentStream(os::EventLoop& loop, log::EventLog& events, const std::string& service, std::unique_ptr<log::LinePump> pump)
    : OutputStream(loop, events, service, std::move(pump)), pump_(static_cast<log::LinePump&>(intake()))
{
}

SentStream::~SentStream()
{
    cancel_both();
    loop().cancel(again_);
}

Result<void> SentStream::open()
{
    auto opened = OutputStream::open();
    return takes() ? Result<void>() : opened;
}

void SentStream::begin_launch()
{
    drain();
    stop_awaiting();
    settle(pump_.begin_launch());
}

void SentStream::hang_up()
{
    drain();
    stop_awaiting();
    settle(pump_.finish());
}

std::vector<std::string> SentStream::last_lines(unsigned count)
{
    drain();
    return pump_.last_lines(count);
}

bool SentStream::awaits_room(const Error& error)
{
    if (error.os_errno != EAGAIN || impatient_ || !watch_room()) return false;
    patience_ = loop().after(patience, [this, error] { had_enough(error); });
    loop().cancel(std::exchange(again_, 0));
    pause();
    return true;
}

bool SentStream::watch_room()
{
    const auto room = loop().on_writable(pump_.socket(), [this] { try_again(); });
    room_ = room.value_or(0);
    return room.has_value();
}

// Where it had stopped taking lines, and goes on, it gets them as fast as it takes them.
void SentStream::settled(const Result<void>& outcome)
{
    if (!outcome && outcome.error().os_errno == EAGAIN && room_ == 0) static_cast<void>(watch_room());
}

void SentStream::cancel_both()
{
    loop().cancel(std::exchange(room_, 0));
    loop().cancel(std::exchange(patience_, 0));
}

// The socket may be closed by what follows.
void SentStream::stop_awaiting()
{
    if (room_ == 0) return;
    cancel_both();
    if (const auto resumed = read_on(); !resumed) events().error(service(), resumed.error().message());
}

// A FIFO that cannot be watched now is looked at again: nobody else would.
Result<void> SentStream::read_on()
{
    auto resumed = resume();
    loop().cancel(std::exchange(again_, 0));
    if (!resumed)
        again_ = loop().after(retry_pause, [this] {
            again_ = 0;
            static_cast<void>(read_on());
        });
    return resumed;
}

void SentStream::had_enough(const Error& error)
{
    stop_awaiting();
    impatient_ = true;
    settle(fail(error));
    impatient_ = false;
}

}  // namespace steward::supervise
