#include "log/log_stream.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "log/read_stamp.hpp"

namespace steward::log {

namespace {

LogTime modified_at(const os::FileInfo& info)
{
    return LogTime(std::chrono::duration_cast<LogTime::duration>(std::chrono::nanoseconds(info.modified_ns)));
}

}  // namespace

bool LineDecoder::decode(const LinePiece& piece, LogLine& line)
{
    line = {.service = source_->service,
            .stream = source_->stream,
            .time = std::nullopt,
            .text = piece.bytes,
            .begins = piece.begins,
            .ends = piece.ends};
    if (!piece.begins) return wanted_;
    if (const auto stamp = read_stamp(piece.bytes)) {
        line.time = last_stamp_ = stamp->time;
        line.text.remove_prefix(stamp->length);
    }
    const bool ours = source_->stream != LogLine::Stream::events || decode_event(line);
    wanted_ = ours && wanted(line);
    return wanted_;
}

// "info web: started, PID 4121", behind its stamp. A service's name holds no space.
bool LineDecoder::decode_event(LogLine& line) const
{
    const std::size_t level_end = line.text.find(' ');
    if (!line.time || level_end == std::string_view::npos) return false;
    line.text.remove_prefix(level_end + 1);
    const std::size_t name_end = line.text.find(": ");
    if (name_end == std::string_view::npos) return false;
    const auto service = source_->services.find(std::string(line.text.substr(0, name_end)));
    if (service == source_->services.end()) return false;
    line.service = *service;
    line.text.remove_prefix(name_end + 2);
    return true;
}

bool LineDecoder::wanted(const LogLine& line) const
{
    if (filter_.since && time() < *filter_.since) return false;
    if (filter_.until && time() > *filter_.until) return false;
    return filter_.pattern == nullptr || filter_.pattern->matches(line.text);
}

// Where a wanted line begins.
struct LogStream::Mark {
    std::uint64_t offset = 0;
    std::optional<LogTime> stamp;
};

LogStream::LogStream(const LogSource& source, const LineFilter& filter, Purpose purpose)
    : source_(source), filter_(filter), chain_(source.path), decoder_(source, filter), purpose_(purpose)
{
}

void LogStream::start_file()
{
    decoder_.enter_file(modified_at(chain_.files().front().info));
    head_ = chain_.files().front().beginning;
}

// The last `lines` wanted ones of those that begin behind `begin`.
Result<std::deque<LogStream::Mark>> LogStream::marks_from(ChainFile& file, std::uint64_t begin, unsigned lines)
{
    std::deque<Mark> marks;
    LineReader reader;
    LineDecoder decoder(source_, filter_);
    decoder.enter_file(modified_at(file.info));
    if (auto sought = file.file.seek(begin); !sought) return fail(sought.error());
    bool within = begin > 0;  // the first line's beginning may not have been seen
    for (bool more = true; more;) {
        auto piece = reader.next(file.file);
        if (!piece) return fail(piece.error());
        if (!*piece) {
            if (purpose_ == Purpose::look) *piece = reader.rest();
            more = false;
        }
        if (!*piece) break;
        LogLine line;
        const bool wanted = !within && decoder.decode(**piece, line);
        if (wanted && line.begins) marks.push_back({.offset = (*piece)->offset, .stamp = decoder.last_stamp()});
        if (marks.size() > lines) marks.pop_front();
        within = within && !(*piece)->ends;
    }
    return marks;
}

// Looks back in growing steps, so that the last lines of a large file cost little.
Result<std::deque<LogStream::Mark>> LogStream::last_marks(ChainFile& file, unsigned lines)
{
    constexpr std::uint64_t first_step = std::uint64_t{256} * 1024;
    constexpr std::uint64_t growth = 8;
    const bool plain = file.file.encoding() == Encoding::plain;
    for (std::uint64_t step = first_step;; step *= growth) {
        const std::uint64_t begin = plain && file.info.size > step ? file.info.size - step : 0;
        auto marks = marks_from(file, begin, lines);
        if (!marks || begin == 0 || marks->size() >= lines) return marks;
    }
}

Result<unsigned> LogStream::go_to_last(unsigned lines)
{
    auto& files = chain_.files();
    unsigned found = 0;
    std::uint64_t begin = files.back().info.size;
    std::size_t first = files.size() - 1;
    for (std::size_t index = files.size(); index-- > 0 && found < lines;) {
        const auto marks = last_marks(files[index], lines - found);
        // A damaged file is told by next(), which comes to it if lines are still wanted.
        first = index;
        begin = 0;
        if (!marks || marks->empty()) continue;
        found += static_cast<unsigned>(marks->size());
        begin = marks->front().offset;
        decoder_.set_last_stamp(marks->front().stamp);
    }
    files.erase(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(first));
    for (ChainFile& file : files) {
        if (auto sought = file.file.seek(&file == &files.front() ? begin : 0); !sought && &file != &files.front())
            return fail(sought.error());
    }
    return found;
}

Result<unsigned> LogStream::open(std::optional<unsigned> lines)
{
    const auto opened = chain_.refresh(filter_.since);
    if (!opened) return fail(opened.error());
    for (ChainFile& file : chain_.files()) file.file.end_at(file.info.size);
    unsigned found = 0;
    if (lines && !chain_.files().empty()) {
        const auto gone = go_to_last(*lines);
        if (!gone) return fail(gone.error());
        found = *gone;
    }
    if (!chain_.files().empty()) start_file();
    return found;
}

void LogStream::go_live()
{
    live_ = true;
    for (ChainFile& file : chain_.files()) file.file.end_at(std::nullopt);
}

Result<bool> LogStream::refresh()
{
    const bool had_none = chain_.files().empty();
    auto come = chain_.refresh();
    if (had_none && !chain_.files().empty()) start_file();
    return come;
}

os::BorrowedFd LogStream::newest() const
{
    const auto& files = chain_.files();
    return files.empty() ? os::BorrowedFd() : files.back().file.fd();
}

// Whether the file, read to its end, was emptied and is written anew. One that is only a little shorter is being repaired by a supervisor
// that takes over from a killed one: the same lines come back.
bool LogStream::was_cut()
{
    const EncodedFile& file = chain_.files().front().file;
    std::array<char, 256> bytes{};
    const auto got = os::read_at(file.fd(), std::as_writable_bytes(std::span(bytes)), 0);
    const auto info = os::info(file.fd());
    if (!got || !info) return false;
    const std::string_view now(bytes.data(), *got);
    const bool other = now.empty() || !(now.starts_with(head_) || std::string_view(head_).starts_with(now));
    const bool cut = info->size < file.offset() && other;
    if (cut || now.size() > head_.size()) head_ = std::string(now);
    return cut;
}

// At the end of the first file. False: stay, there is nothing to read now.
Result<bool> LogStream::leave_file()
{
    auto& files = chain_.files();
    if (files.size() == 1) {
        if (!live_ || !was_cut()) return false;
        reader_ = LineReader{};
        if (auto sought = files.front().file.seek(0); !sought) return fail(sought.error());
        return true;
    }
    if (live_ && !leaving_) {
        // Who made the new file may still write to the old one until it has opened the new.
        const auto next = os::info(files[1].file.fd());
        leaving_ = files.size() > 2 || (next && next->size > 0);
        return leaving_;
    }
    leaving_ = false;
    files.pop_front();
    reader_.enter_next_file();
    start_file();
    return true;
}

Result<bool> LogStream::next(LogLine& line)
{
    auto& files = chain_.files();
    while (!files.empty()) {
        auto piece = reader_.next(files.front().file);
        if (!piece) {
            files.pop_front();
            reader_ = LineReader{};
            if (!files.empty()) start_file();
            return fail(piece.error());
        }
        if (!*piece) {
            const auto left = leave_file();
            if (!left) return fail(left.error());
            if (*left) continue;
            if (purpose_ == Purpose::look) *piece = reader_.rest();
            if (!*piece) return false;
        }
        if (decoder_.decode(**piece, line)) return true;
    }
    return false;
}

}  // namespace steward::log
