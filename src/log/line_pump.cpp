#include "log/line_pump.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "os/datagram.hpp"
#include "os/pipe.hpp"

namespace steward::log {

namespace {

constexpr std::size_t past_splice_size = 4096;
constexpr std::chrono::milliseconds longest_stall{200};
constexpr std::chrono::seconds longest_drain{2};
constexpr std::size_t remembered_lines = 10;
constexpr std::size_t remembered_length = 4096;

// Not within a character of UTF-8, as far as it is one.
std::size_t cut_at(std::span<const char> text, std::size_t limit)
{
    std::size_t cut = limit;
    while (limit - cut < 3 && cut > 1 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
    return (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80 ? limit : cut;
}

}  // namespace

LinePump::LinePump(LineSink sink, int priority, const RateLimit& limit, os::BorrowedFd fifo, Spool spool)
    : Intake(limit, fifo, std::move(spool)), sink_(std::move(sink)), priority_(priority), line_priority_(priority)
{
}

Result<void> LinePump::open()
{
    return deliver();
}

Result<std::size_t> LinePump::move()
{
    const std::size_t skipped = skip_to_line_end();
    if (auto delivered = deliver(); !delivered) return fail(delivered.error());
    if (mark_.inside_lost != 0) return skipped;
    auto taken = splice();
    if (!taken) taken = move_past_splice(taken.error().os_errno == EINVAL);
    if (!taken || *taken == 0) return taken;
    grow_pipe_after(*taken);
    if (auto delivered = deliver(); !delivered) return fail(delivered.error());
    return taken;
}

Result<void> LinePump::drain()
{
    patience_ = std::chrono::steady_clock::now() + longest_drain;
    auto drained = Intake::drain();
    patience_.reset();
    return drained;
}

Result<void> LinePump::begin_launch()
{
    auto finished = finish();
    last_.clear();
    return finished;
}

Result<void> LinePump::finish()
{
    patience_ = std::chrono::steady_clock::now() + longest_drain;
    mark_.inside_lost = 0;
    auto delivered = deliver();
    if (delivered) delivered = deliver_pending(Rest::goes);
    patience_.reset();
    if (!delivered) return delivered;
    mark_.in_line = 0;
    mark_.gate.inside_dropped = 0;
    return commit_what_is_known();
}

Result<void> LinePump::deliver()
{
    // What stands before a gap is not going to be continued.
    if (auto delivered = deliver_pending(mark_.lost_bytes > 0 ? Rest::goes : Rest::waits); !delivered) return delivered;
    if (mark_.lost_bytes > 0 && mark_.inside_lost == 0) {
        if (auto told = tell_loss(); !told) return told;
    }
    if (auto reported = report_if_due(); !reported) return reported;
    return shrink_spool();
}

Result<void> LinePump::deliver_pending(Rest rest)
{
    while (spool_.pending() > 0) {
        const auto got = spool_.read(std::as_writable_bytes(buffer()));
        if (!got) return fail(got.error());
        if (*got == 0)
            return fail(Error{.operation = "read", .object = "the spool", .cause = "it was cut by somebody else", .next_step = {}});
        const bool is_all = *got == spool_.pending();
        auto from = std::span<const char>(buffer()).first(*got);
        while (!from.empty()) {
            const auto taken = deliver_line(from, is_all ? rest : Rest::waits, Source::spool);
            if (!taken) return fail(taken.error());
            if (*taken == 0) break;
            from = from.subspan(*taken);
        }
        if (is_all && !from.empty()) return {};
    }
    return {};
}

// Where the spool's file system has no splice, or no room. What is read is in nobody else's hands for a moment; where there is no room, what has
// no end yet goes as the beginning of a line.
Result<std::size_t> LinePump::move_past_splice(bool has_room)
{
    if (!has_room) {
        if (auto delivered = deliver_pending(Rest::goes_on); !delivered) return fail(delivered.error());
    }
    std::array<char, past_splice_size> block{};
    const auto got = os::read_waiting(fifo_, std::as_writable_bytes(std::span(block)));
    if (!got || *got == 0) return got;
    auto from = std::span<const char>(block).first(*got);
    if (append(from)) return got;
    auto delivered = deliver_pending(Rest::goes_on);
    while (delivered && !from.empty()) {
        const auto sent = deliver_line(from, Rest::goes_on, Source::fifo);
        if (!sent) delivered = fail(sent.error());
        from = from.subspan(sent.value_or(0));
    }
    if (!delivered) static_cast<void>(keep(from));
    return delivered ? got : fail(delivered.error());
}

// 0: its end has not come yet.
Result<std::size_t> LinePump::deliver_line(std::span<const char> from, Rest rest, Source source)
{
    for (;;) {
        const std::size_t longest = sink_.longest();
        const auto within = from.first(std::min(from.size(), longest + 1));
        const auto newline = static_cast<std::size_t>(std::find(within.begin(), within.end(), '\n') - within.begin());
        const bool ended = newline < within.size();
        const bool is_cut = !ended && from.size() > longest;
        if (!ended && !is_cut && rest == Rest::waits) return std::size_t{0};
        const std::size_t length = ended ? newline : is_cut ? cut_at(from, longest) : from.size();
        const auto piece = from.first(ended ? length + 1 : length);
        const bool continues = mark_.in_line != 0;

        if (auto reported = report_if_due(); !reported) return fail(reported.error());
        SpoolMark after = mark_;
        if (source == Source::spool) after.consumed += piece.size();
        bool passes = true;
        if (is_limited()) {
            const auto verdict = judge_rate(rate_limit_, mark_.gate, piece, continues, std::chrono::steady_clock::now());
            after.gate = verdict.after;
            passes = verdict.passes;
        }
        std::string_view text(piece.data(), length);
        if (passes) {
            after.in_line = is_cut || (!ended && rest == Rest::goes_on) ? 1 : 0;
            if (!continues) take_priority(text, line_priority_ = priority_);
        }
        // The end of a line that was as long as it may be is no line.
        if (passes && !(continues && text.empty())) {
            const auto sent = send({.text = text, .priority = line_priority_, .pid = pid_});
            if (!sent && sent.error().os_errno == EMSGSIZE && sink_.longest() < longest) continue;
            if (!sent) return fail(sent.error());
            remember(text, continues);
        }
        if (auto committed = commit(after); !committed) return fail(committed.error());
        return piece.size();
    }
}

Result<void> LinePump::send(const SentLine& line)
{
    for (;;) {
        auto sent = sink_.send(line);
        if (sent || sent.error().os_errno != EAGAIN || !patience_ || std::chrono::steady_clock::now() >= *patience_) return sent;
        if (!os::await_room(sink_.socket(), longest_stall)) return sent;
    }
}

Result<void> LinePump::write_line(std::string_view line, SpoolMark after)
{
    if (auto sent = send({.text = line, .priority = priority_warning, .pid = 0}); !sent) return sent;
    after.in_line = 0;
    return commit(after);
}

void LinePump::remember(std::string_view line, bool continues)
{
    if (continues && !last_.empty()) {
        last_.back().append(line.substr(0, remembered_length - std::min(last_.back().size(), remembered_length)));
        return;
    }
    if (last_.size() == remembered_lines) last_.pop_front();
    last_.emplace_back(line.substr(0, remembered_length));
}

std::vector<std::string> LinePump::last_lines(std::size_t count)
{
    std::vector<std::string> lines(last_.begin(), last_.end());
    const auto got = spool_.read(std::as_writable_bytes(buffer()));
    for (std::string_view rest(buffer().data(), got.value_or(0)); !rest.empty();) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        int priority = 0;
        take_priority(line, priority);
        lines.emplace_back(line);
    }
    if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
    return lines;
}

}  // namespace steward::log
