#include "init/journal.hpp"

#include <systemd/sd-journal.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>

#include "init/libsystemd.hpp"
#include "os/error.hpp"
#include "os/event_loop.hpp"
#include "os/process.hpp"

namespace steward::init {

namespace {

using std::chrono::microseconds;
using Time = std::chrono::system_clock::time_point;

constexpr unsigned lines_when_following = 10;

struct Functions {
    decltype(&sd_journal_open) open = nullptr;
    decltype(&sd_journal_close) close = nullptr;
    decltype(&sd_journal_add_match) add_match = nullptr;
    decltype(&sd_journal_add_disjunction) add_disjunction = nullptr;
    decltype(&sd_journal_set_data_threshold) set_data_threshold = nullptr;
    decltype(&sd_journal_seek_head) seek_head = nullptr;
    decltype(&sd_journal_seek_tail) seek_tail = nullptr;
    decltype(&sd_journal_seek_realtime_usec) seek_realtime = nullptr;
    decltype(&sd_journal_seek_cursor) seek_cursor = nullptr;
    decltype(&sd_journal_get_cursor) get_cursor = nullptr;
    decltype(&sd_journal_next) next = nullptr;
    decltype(&sd_journal_previous) previous = nullptr;
    decltype(&sd_journal_get_data) get_data = nullptr;
    decltype(&sd_journal_get_realtime_usec) get_realtime = nullptr;
    decltype(&sd_journal_get_fd) get_fd = nullptr;
    decltype(&sd_journal_process) process = nullptr;
};

bool find(const os::SharedLibrary& library, Functions& found)
{
    return library.find("sd_journal_open", found.open) && library.find("sd_journal_close", found.close) &&
           library.find("sd_journal_add_match", found.add_match) && library.find("sd_journal_add_disjunction", found.add_disjunction) &&
           library.find("sd_journal_set_data_threshold", found.set_data_threshold) &&
           library.find("sd_journal_seek_head", found.seek_head) && library.find("sd_journal_seek_tail", found.seek_tail) &&
           library.find("sd_journal_seek_realtime_usec", found.seek_realtime) &&
           library.find("sd_journal_seek_cursor", found.seek_cursor) && library.find("sd_journal_get_cursor", found.get_cursor) &&
           library.find("sd_journal_next", found.next) && library.find("sd_journal_previous", found.previous) &&
           library.find("sd_journal_get_data", found.get_data) && library.find("sd_journal_get_realtime_usec", found.get_realtime) &&
           library.find("sd_journal_get_fd", found.get_fd) && library.find("sd_journal_process", found.process);
}

std::uint64_t microseconds_of(Time time)
{
    const auto count = std::chrono::duration_cast<microseconds>(time.time_since_epoch()).count();
    return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

struct Entry {
    std::string service;
    std::string text;
    bool error = false;
    Time time;

    [[nodiscard]] LogLine line() const
    {
        return {.service = service, .stream = error ? LogLine::Stream::error : LogLine::Stream::output, .time = time, .text = text};
    }
};

class Journal {
  public:
    static Result<Journal> open(const std::vector<JournalService>& services)
    {
        static const auto loaded = load_from_libsystemd(find);
        if (!loaded) return fail(loaded.error());
        sd_journal* handle = nullptr;
        if (const int result = loaded->open(&handle, SD_JOURNAL_LOCAL_ONLY); result < 0) return fail(about("open", result));
        Journal journal(*loaded, handle);
        loaded->set_data_threshold(handle, 0);
        for (const JournalService& service : services) {
            if (auto added = journal.add(service); !added) return fail(added.error());
        }
        return journal;
    }

    // A line that is no line of the journal's language is none; an error of the journal is an end.
    bool forward() { return functions_->next(handle_.get()) > 0; }
    bool back() { return functions_->previous(handle_.get()) > 0; }
    void to_head() { functions_->seek_head(handle_.get()); }
    void to_tail() { functions_->seek_tail(handle_.get()); }
    void to_time(std::uint64_t time) { functions_->seek_realtime(handle_.get(), time); }

    [[nodiscard]] std::string place() const
    {
        char* cursor = nullptr;
        if (functions_->get_cursor(handle_.get(), &cursor) < 0) return {};
        const std::unique_ptr<char, decltype(&std::free)> owned(cursor, &std::free);
        return cursor;
    }
    // The entry of that place is the current one.
    void to_place(const std::string& cursor)
    {
        functions_->seek_cursor(handle_.get(), cursor.c_str());
        functions_->next(handle_.get());
    }

    [[nodiscard]] std::optional<Entry> entry() const
    {
        Entry entry;
        std::uint64_t time = 0;
        auto text = field("MESSAGE");
        if (!text || functions_->get_realtime(handle_.get(), &time) < 0) return std::nullopt;
        entry.text = std::move(*text);
        entry.time = Time(microseconds(time));
        entry.error = field("STEWARD_STREAM") == "stderr";
        entry.service = field("STEWARD_SERVICE").value_or("");
        for (const char* unit : {"_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT"}) {
            if (names(entry.service)) break;
            entry.service = field(unit).value_or("");
            entry.service = entry.service.substr(0, entry.service.rfind(".service"));
        }
        return entry;
    }

    [[nodiscard]] os::BorrowedFd fd() const { return os::BorrowedFd(functions_->get_fd(handle_.get())); }
    void process() { functions_->process(handle_.get()); }

  private:
    Journal(const Functions& functions, sd_journal* handle) : functions_(&functions), handle_(handle, functions.close) {}

    static Error about(const char* operation, int result) { return os::errno_error(operation, "the journal", -result); }

    // Whoever may write to the journal may say that it is the service; only who runs it is believed.
    Result<void> add(const JournalService& service)
    {
        const std::string uid = "_UID=" + std::to_string(service.scope == Scope::system ? 0 : os::effective_uid());
        const std::string unit = service.name + ".service";
        const bool of_system = service.scope == Scope::system;
        names_.push_back(service.name);
        std::vector<std::vector<std::string>> terms{{"STEWARD_SERVICE=" + service.name, uid},
                                                    {(of_system ? "_SYSTEMD_UNIT=" : "_SYSTEMD_USER_UNIT=") + unit}};
        if (service.and_of_it)
            terms.push_back(of_system ? std::vector<std::string>{"UNIT=" + unit, "_PID=1"} : std::vector{"USER_UNIT=" + unit, uid});
        for (const auto& term : terms) {
            if (const int result = functions_->add_disjunction(handle_.get()); result < 0) return fail(about("search", result));
            for (const std::string& match : term) {
                const int result = functions_->add_match(handle_.get(), match.data(), match.size());
                if (result < 0) return fail(about("search", result));
            }
        }
        return {};
    }

    [[nodiscard]] bool names(const std::string& service) const { return std::ranges::find(names_, service) != names_.end(); }

    [[nodiscard]] std::optional<std::string> field(const std::string& name) const
    {
        const void* data = nullptr;
        std::size_t size = 0;
        if (functions_->get_data(handle_.get(), name.c_str(), &data, &size) < 0 || size <= name.size()) return std::nullopt;
        return std::string(static_cast<const char*>(data) + name.size() + 1, size - name.size() - 1);
    }

    const Functions* functions_;
    std::unique_ptr<sd_journal, decltype(&sd_journal_close)> handle_;
    std::vector<std::string> names_;
};

class Reader {
  public:
    Reader(Journal& journal, const LogOptions& options, const Wanted& wanted, LogSink& sink)
        : journal_(journal), options_(options), wanted_(wanted), sink_(sink)
    {
    }

    Result<void> show()
    {
        if (options_.lines || options_.follow) {
            if (!show_last(options_.lines.value_or(lines_when_following))) return {};
        } else {
            if (options_.since)
                journal_.to_time(microseconds_of(*options_.since));
            else
                journal_.to_head();
            if (!show_rest()) return {};
        }
        if (!sink_.caught_up() || !options_.follow) return {};
        return follow();
    }

  private:
    [[nodiscard]] bool is_wanted(const Entry& entry) const
    {
        if (options_.since && entry.time < *options_.since) return false;
        if (options_.until && entry.time > *options_.until) return false;
        return !wanted_ || wanted_(entry.text);
    }

    // False: the sink has enough.
    bool show_rest()
    {
        while (journal_.forward()) {
            const auto entry = journal_.entry();
            if (entry && options_.until && !options_.follow && entry->time > *options_.until) return true;
            if (entry && is_wanted(*entry) && !sink_.line(entry->line())) return false;
        }
        return true;
    }

    bool show_last(unsigned count)
    {
        std::vector<Entry> last;
        std::string newest;
        journal_.to_tail();
        while (last.size() < count && journal_.back()) {
            if (newest.empty()) newest = journal_.place();
            auto entry = journal_.entry();
            if (entry && options_.since && entry->time < *options_.since) break;
            if (entry && is_wanted(*entry)) last.push_back(std::move(*entry));
        }
        // What comes from now on is behind the newest there was.
        if (newest.empty())
            journal_.to_head();
        else
            journal_.to_place(newest);
        return std::all_of(last.rbegin(), last.rend(), [&](const Entry& entry) { return sink_.line(entry.line()); });
    }

    Result<void> follow()
    {
        auto loop = os::EventLoop::create();
        if (!loop) return fail(loop.error());
        bool read_by_nobody = false;
        if (auto watch = loop->on_readable(journal_.fd(), [&] { journal_.process(); }); !watch) return fail(watch.error());
        // Only its hang-up is news. A file has none, and cannot be watched.
        if (options_.reader >= 0) static_cast<void>(loop->on_priority(os::BorrowedFd(options_.reader), [&] { read_by_nobody = true; }));
        while (!read_by_nobody && show_rest() && sink_.caught_up()) {
            if (auto waited = loop->run_once(std::chrono::milliseconds(-1)); !waited) return waited;
        }
        return {};
    }

    Journal& journal_;
    const LogOptions& options_;
    const Wanted& wanted_;
    LogSink& sink_;
};

}  // namespace

Result<void> read_journal(const std::vector<JournalService>& services, const LogOptions& options, const Wanted& wanted, LogSink& sink)
{
    auto journal = Journal::open(services);
    if (!journal) return fail(journal.error());
    return Reader(*journal, options, wanted, sink).show();
}

std::vector<std::string> last_journal_lines(const JournalService& service, unsigned count, std::optional<Time> since)
{
    auto journal = Journal::open({service});
    if (!journal || count == 0) return {};
    std::vector<std::string> lines;
    journal->to_tail();
    while (lines.size() < count && journal->back()) {
        auto entry = journal->entry();
        if (entry && since && entry->time < *since) break;
        if (entry) lines.push_back(std::move(entry->text));
    }
    std::ranges::reverse(lines);
    return lines;
}

}  // namespace steward::init
