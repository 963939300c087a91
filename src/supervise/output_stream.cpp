#include "supervise/output_stream.hpp"

#include <algorithm>

namespace steward::supervise {

namespace {

constexpr std::chrono::seconds retry_pause{1};

}  // namespace

OutputStream::OutputStream(os::EventLoop& loop, log::EventLog& events, std::string service, std::unique_ptr<log::Intake> intake)
    : loop_(loop), events_(events), service_(std::move(service)), intake_(std::move(intake))
{
}

OutputStream::~OutputStream()
{
    loop_.cancel(watch_);
    loop_.cancel(retry_);
    loop_.cancel(report_);
}

Result<void> OutputStream::open()
{
    auto opened = intake_->open();
    if (auto watched = resume(); !watched) return watched;
    opened_ = true;
    if (!opened && intake_->owes()) settle(opened);
    return opened;
}

Result<void> OutputStream::resume()
{
    if (watch_ != 0) return {};
    auto watch = loop_.on_bulk(intake_->fifo(), [this] { readable(); });
    if (!watch) return fail(watch.error());
    watch_ = *watch;
    return {};
}

void OutputStream::pause()
{
    loop_.cancel(std::exchange(watch_, 0));
}

void OutputStream::readable()
{
    if (retry_ != 0) return intake_->absorb();
    move_on();
}

void OutputStream::move_on()
{
    stop_awaiting();
    const auto moved = intake_->move();
    settle(moved ? Result<void>() : Result<void>(tl::unexpected(moved.error())));
}

void OutputStream::try_again()
{
    loop_.cancel(std::exchange(retry_, 0));
    move_on();
}

void OutputStream::drain()
{
    if (!opened_) return;
    stop_awaiting();
    settle(intake_->drain());
}

// The fault is told when it begins and when it has passed. It is looked at again only while something waits to be written.
void OutputStream::settle(const Result<void>& outcome)
{
    if (!outcome && !faulted_ && awaits_room(outcome.error())) return;
    if (!outcome) {
        intake_->absorb();
        if (!faulted_)
            events_.error(service_, outcome.error().message() + ": output is kept in memory, up to 1 MiB, until it can be written");
        faulted_ = true;
        if (retry_ == 0 && intake_->owes()) retry_ = loop_.after(retry_pause, [this] { try_again(); });
    } else {
        loop_.cancel(std::exchange(retry_, 0));
        // How much was lost is not known before the end of the line that was dropped in part.
        const auto loss = intake_->take_loss();
        if (loss || (faulted_ && !intake_->owes_count())) {
            faulted_ = false;
            const std::string lost = std::to_string(loss.lines) + " lines (" + std::to_string(loss.bytes) + " bytes) were lost";
            events_.warning(service_, "its log is written again: " + (loss ? lost : "nothing was lost"));
        }
    }
    look_at_limit();
    settled(outcome);
}

// The log says how much was dropped when the time is over, also when nothing more comes.
void OutputStream::look_at_limit()
{
    const auto due = intake_->report_after();
    if (!due || report_ != 0) return;
    if (!std::exchange(limit_told_, true))
        events_.warning(service_, "it writes more lines than its rate-limit: its log says how many are dropped");
    report_ = loop_.after(faulted_ ? std::max<std::chrono::microseconds>(*due, retry_pause) : *due, [this] {
        report_ = 0;
        readable();
    });
}

}  // namespace steward::supervise
