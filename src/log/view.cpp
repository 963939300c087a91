#include "log/view.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "os/file.hpp"
#include "os/file_watch.hpp"

namespace steward::log {

namespace {

constexpr unsigned lines_when_following = 10;

class View {
  public:
    View(const LogOptions& options, LogSink& sink) : options_(options), sink_(sink) {}

    Result<void> show(const std::vector<LogSource>& sources)
    {
        LineFilter filter{.since = options_.since, .until = options_.until};
        std::optional<Pattern> pattern;
        if (!options_.pattern.empty()) {
            auto compiled = Pattern::compile(options_.pattern);
            if (!compiled) return fail(compiled.error());
            filter.pattern = &pattern.emplace(std::move(*compiled));
        }
        if (options_.follow) {
            auto watch = os::FileWatch::create();
            if (!watch) return fail(watch.error());
            watch_ = std::move(*watch);
        }
        for (const LogSource& source : sources) open(source, filter);
        if (!merge() || !sink_.caught_up() || streams_.empty()) return {};
        return options_.follow ? follow() : Result<void>{};
    }

  private:
    void open(const LogSource& source, const LineFilter& filter)
    {
        auto stream = std::make_unique<LogStream>(source, filter, options_.follow ? LogStream::Purpose::follow : LogStream::Purpose::look);
        // Where no output can be read, the events, which cannot either, are not worth a second complaint.
        const auto complain = [&](const Error& error) {
            if (source.stream != LogLine::Stream::events || !streams_.empty()) sink_.fault(source.service, error);
        };
        // Watched before it is read: what comes in between is not missed.
        if (watch_) {
            const auto watched = watch_->add_directory(os::parent_of(source.path));
            if (!watched) return complain(watched.error());
            directories_.emplace(*watched, stream.get());
        }
        const auto lines = options_.lines ? options_.lines : options_.follow ? std::optional(lines_when_following) : std::nullopt;
        const auto found = stream->open(lines);
        if (!found) return complain(found.error());
        found_ += *found;
        skip_ = lines && found_ > *lines ? found_ - *lines : 0;
        streams_.push_back(std::move(stream));
    }

    // The next line of a stream, its faults told. False: it has none.
    bool advance(LogStream& stream, LogLine& line)
    {
        for (;;) {
            const auto more = stream.next(line);
            if (more) return *more;
            sink_.fault(stream.source().service, more.error());
        }
    }

    bool tell(const LogLine& line)
    {
        if (skip_ > 0) {
            if (line.ends) --skip_;
            return true;
        }
        return sink_.line(line);
    }

    // By time; what is of the same time, in the order of the sources. False: the sink has enough.
    bool merge()
    {
        struct Head {
            LogStream* stream;
            std::size_t index;
            LogLine line;
        };
        const auto later = [](const Head& left, const Head& right) {
            const auto one = left.stream->time();
            const auto other = right.stream->time();
            return one != other ? one > other : left.index > right.index;
        };
        std::vector<Head> heads;
        for (const auto& stream : streams_) {
            Head head{.stream = stream.get(), .index = heads.size(), .line = {}};
            if (advance(*stream, head.line)) heads.push_back(head);
        }
        std::ranges::make_heap(heads, later);
        while (!heads.empty()) {
            std::ranges::pop_heap(heads, later);
            Head& first = heads.back();
            bool more = true;
            bool whole = false;
            while (more && !whole) {
                if (!tell(first.line)) return false;
                whole = first.line.ends;
                more = advance(*first.stream, first.line);
            }
            if (more)
                std::ranges::push_heap(heads, later);
            else
                heads.pop_back();
        }
        return true;
    }

    // All that a stream has now. False: the sink has enough.
    bool drain(LogStream& stream)
    {
        LogLine line;
        while (advance(stream, line)) {
            if (!sink_.line(line)) return false;
        }
        return true;
    }

    bool tell_gap(LogStream& stream)
    {
        if (!stream.take_gap()) return true;
        return sink_.line({.service = stream.source().service,
                           .stream = LogLine::Stream::events,
                           .time = std::nullopt,
                           .text = "some lines were rotated away before they could be read"});
    }

    void watch_newest(LogStream& stream)
    {
        if (!stream.newest()) return;
        if (const auto watched = watch_->add_file(stream.newest()); watched)
            files_[*watched] = &stream;
        else
            sink_.fault(stream.source().service, watched.error());
    }

    // Takes another file in, if one has come. False: the sink has enough.
    bool refresh(LogStream& stream)
    {
        const auto come = stream.refresh();
        if (!come) sink_.fault(stream.source().service, come.error());
        if (come && *come) watch_newest(stream);
        return tell_gap(stream);
    }

    Result<void> follow()
    {
        for (const auto& stream : streams_) {
            stream->go_live();
            watch_newest(*stream);
            if (!refresh(*stream) || !drain(*stream)) return {};
        }
        while (sink_.caught_up()) {
            const auto changes = watch_->wait(os::BorrowedFd(options_.reader));
            if (!changes) return fail(changes.error());
            if (changes->empty()) return {};
            for (const os::FileWatch::Change& change : *changes) {
                if (!take(change)) return {};
            }
        }
        return {};
    }

    bool take(const os::FileWatch::Change& change)
    {
        if (const auto file = files_.find(change.watch); file != files_.end()) return drain(*file->second);
        for (const auto& [watch, stream] : directories_) {
            const bool concerned = change.watch == watch && change.name.starts_with(os::base_of(stream->source().path));
            if ((concerned || change.watch < 0) && (!refresh(*stream) || !drain(*stream))) return false;
        }
        return true;
    }

    const LogOptions& options_;
    LogSink& sink_;
    std::optional<os::FileWatch> watch_;
    std::vector<std::unique_ptr<LogStream>> streams_;
    std::multimap<int, LogStream*> directories_;
    std::map<int, LogStream*> files_;
    unsigned found_ = 0;
    unsigned skip_ = 0;
};

}  // namespace

Result<void> view(const std::vector<LogSource>& sources, const LogOptions& options, LogSink& sink)
{
    return View(options, sink).show(sources);
}

}  // namespace steward::log
