// logs: where the output of each service is, and the events about it.
#include <algorithm>

#include "init/journal.hpp"
#include "log/pattern.hpp"
#include "log/view.hpp"
#include "manager/verbs.hpp"

namespace steward::manager {

namespace {

std::string_view told(LogOutput output)
{
    switch (output) {
        case LogOutput::syslog: return "its output goes to syslog: the lines are where syslogd writes them";
        case LogOutput::null: return "its output is discarded";
        default: return "its output goes where that of 'steward run' goes";
    }
}

bool is_in_journal(const Located& located)
{
    const auto spec = load_started(located);
    return spec && spec->log.output == LogOutput::journal;
}

// As it was started; else as its file says.
Result<void> add_output(std::vector<log::LogSource>& sources, const Located& located)
{
    const auto state = located.directory ? located.directory->read_state() : std::nullopt;
    if (!state) return fail(state.error());
    auto spec = load_started(located);
    const bool in_file =
        *state ? !(*state)->log_file.empty() : spec && (spec->log.output == LogOutput::automatic || spec->log.output == LogOutput::file);
    if (!in_file && !spec) return fail(spec.error());
    if (!in_file) {
        return fail(Error{.code = ErrorCode::unsupported,
                          .operation = "show the log of",
                          .object = located.name,
                          .cause = std::string(told(spec->log.output))});
    }
    std::string file = *state ? (*state)->log_file : spec->log.file;
    if (file.empty()) file = located.paths.log_file(located.name);
    sources.push_back({.path = file, .stream = LogLine::Stream::output, .service = located.name, .services = {}});
    if (spec && !spec->log.stderr_file.empty() && spec->log.stderr_file != file) {
        sources.push_back({.path = spec->log.stderr_file, .stream = LogLine::Stream::error, .service = located.name, .services = {}});
    }
    return {};
}

// One source for each scope's event log.
void add_events(std::vector<log::LogSource>& sources, const Located& located)
{
    const std::string path = located.paths.event_log();
    auto events = std::ranges::find_if(
        sources, [&](const log::LogSource& source) { return source.stream == LogLine::Stream::events && source.path == path; });
    if (events == sources.end()) {
        events = sources.insert(sources.end(), {.path = path, .stream = LogLine::Stream::events, .service = {}, .services = {}});
    }
    events->services.insert(located.name);
}

Error beside_files(const std::string& name)
{
    return Error{.code = ErrorCode::unsupported,
                 .operation = "show the log of",
                 .object = name,
                 .cause = "its lines are in the journal, and those of the others in files",
                 .next_step = "steward logs " + name};
}

Result<void> show_journal(const std::vector<init::JournalService>& services, const LogOptions& options, LogSink& sink)
{
    if (options.pattern.empty()) return init::read_journal(services, options, {}, sink);
    const auto pattern = log::Pattern::compile(options.pattern);
    if (!pattern) return fail(pattern.error());
    return init::read_journal(
        services, options, [&](std::string_view line) { return pattern->matches(line); }, sink);
}

}  // namespace

Result<void> logs(const std::vector<Located>& located, const LogOptions& options, LogSink& sink)
{
    std::vector<log::LogSource> sources;
    std::vector<const Located*> shown;
    std::vector<init::JournalService> in_journal;
    for (const Located& service : located) {
        if (is_in_journal(service))
            in_journal.push_back({.name = service.name, .scope = service.paths.scope});
        else if (const auto added = add_output(sources, service); added)
            shown.push_back(&service);
        else
            sink.fault(service.name, added.error());
    }
    for (const Located* service : shown) add_events(sources, *service);
    if (in_journal.empty()) return sources.empty() ? Result<void>{} : log::view(sources, options, sink);
    if (!sources.empty()) {
        // Two histories of different keepers: which line comes first, only the reader of both could tell.
        for (const init::JournalService& service : in_journal) sink.fault(service.name, beside_files(service.name));
        return log::view(sources, options, sink);
    }
    return show_journal(in_journal, options, sink);
}

}  // namespace steward::manager
