#include "supervise/labelled_terminal.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "os/file.hpp"

namespace steward::supervise {

namespace {

constexpr std::size_t longest_line = 16 * 1024;  // a longer one is cut: nobody may fill this process's memory
constexpr std::size_t one_read = 16 * 1024;
constexpr std::chrono::milliseconds quiet{50};
// Cyan, yellow, green, magenta, blue, and the same bright. Red is for faults.
constexpr std::array colours{"36", "33", "32", "35", "34", "96", "93", "92", "95", "94"};

}  // namespace

std::string LabelledLines::take(std::string_view bytes)
{
    std::string lines;
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        lines.append(label_).append(partial_).append(bytes.substr(0, end + 1));
        partial_.clear();
        bytes.remove_prefix(end + 1);
    }
    partial_.append(bytes);
    if (partial_.size() >= longest_line) lines += this->end();
    return lines;
}

std::string LabelledLines::end()
{
    return partial_.empty() ? std::string() : label_ + std::exchange(partial_, {}) + "\n";
}

Result<std::unique_ptr<LabelledTerminal>> LabelledTerminal::open(os::EventLoop& loop, const Labels& labels, std::size_t width)
{
    auto terminal = os::open_following(labels.output ? "/proc/self/fd/1" : "/proc/self/fd/2", {.write = true});
    if (!terminal) return fail(terminal.error());
    return std::unique_ptr<LabelledTerminal>(new LabelledTerminal(loop, labels, width, std::move(*terminal)));
}

LabelledTerminal::LabelledTerminal(os::EventLoop& loop, const Labels& labels, std::size_t width, os::UniqueFd terminal)
    : loop_(loop), labels_(labels), width_(width), terminal_(std::move(terminal))
{
}

LabelledTerminal::~LabelledTerminal()
{
    loop_.cancel(writable_);
    for (const auto& [id, source] : sources_) loop_.cancel(source.watch);
}

std::string LabelledTerminal::label_of(const std::string& service)
{
    std::string name = service;
    name.append(width_ > name.size() ? width_ - name.size() : 0, ' ').append(" |");
    if (!labels_.colour) return name + " ";
    const auto colour = colours_.emplace(service, colours_.size()).first->second;
    return "\x1b[0;" + std::string(colours[colour % colours.size()]) + "m" + name + "\x1b[0m ";
}

Result<os::UniqueFd> LabelledTerminal::add(const std::string& service)
{
    auto pipe = os::make_pipe();
    if (!pipe) return fail(pipe.error());
    if (auto set = os::set_nonblocking(pipe->read); !set) return fail(set.error());
    const unsigned id = ++last_source_;
    auto& source =
        sources_.emplace(id, Source{.pipe = std::move(pipe->read), .watch = 0, .lines = LabelledLines(label_of(service))}).first->second;
    if (writable_ == 0) {
        auto watch = loop_.on_readable(source.pipe, [this, id] { read(id); });
        if (!watch) {
            sources_.erase(id);
            return fail(watch.error());
        }
        source.watch = *watch;
    }
    return std::move(pipe->write);
}

void LabelledTerminal::pause()
{
    if (writable_ != 0) return;
    auto watch = loop_.on_writable(terminal_, [this] { write(); });
    if (!watch) return give_up();
    writable_ = *watch;
    for (auto& [id, source] : sources_) loop_.cancel(std::exchange(source.watch, 0));
}

void LabelledTerminal::resume()
{
    loop_.cancel(std::exchange(writable_, 0));
    for (auto& [id, source] : sources_) {
        // One that cannot be watched for want of memory waits for the next time.
        source.watch = loop_.on_readable(source.pipe, [this, id = id] { read(id); }).value_or(0);
    }
}

void LabelledTerminal::read(unsigned id)
{
    const auto source = sources_.find(id);
    std::array<std::byte, one_read> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): written by read
    const auto got = os::read_now(source->second.pipe, bytes);
    if (got && !*got) return;
    ++reads_;
    if (got && **got > 0) return tell(source->second.lines.take({reinterpret_cast<const char*>(bytes.data()), **got}));
    const std::string rest = source->second.lines.end();
    loop_.cancel(source->second.watch);
    sources_.erase(source);
    tell(rest);
}

void LabelledTerminal::tell(std::string_view text)
{
    pending_ += text;
    if (writable_ == 0) write();
}

void LabelledTerminal::write()
{
    while (terminal_ && !pending_.empty()) {
        const auto written = os::write_now(terminal_, pending_);
        if (written && *written == 0) return pause();
        if (written) {
            pending_.erase(0, *written);
        } else {
            give_up();
        }
    }
    pending_.clear();
    if (writable_ != 0) resume();
}

// It has hung up. The services go on, and nobody hears them.
void LabelledTerminal::give_up()
{
    if (writable_ != 0) resume();
    terminal_.reset();
}

void LabelledTerminal::drain(std::chrono::milliseconds limit)
{
    const auto deadline = os::MonotonicClock::now() + limit;
    while (!sources_.empty() || writable_ != 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - os::MonotonicClock::now());
        const auto before = reads_;
        if (left.count() <= 0 || !loop_.run_once(std::min(left, quiet))) break;
        // Somebody who was not ended may hold a pipe and say nothing.
        if (reads_ == before && writable_ == 0) break;
    }
    for (auto& [id, source] : sources_) tell(source.lines.end());
}

}  // namespace steward::supervise
