#include "cli/json.hpp"

#define JSON_NO_IO 1  // iostreams cost start-up time
#include <nlohmann/json.hpp>

#include "cli/exit_codes.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

using Json = nlohmann::ordered_json;
using TimePoint = std::chrono::system_clock::time_point;

Json time_json(TimePoint time)
{
    return utc_time(time);
}

Json time_json(const std::optional<TimePoint>& time)
{
    return time ? time_json(*time) : Json();
}

Json text_or_null(const std::string& text)
{
    return text.empty() ? Json() : Json(text);
}

Json pid_or_null(std::int64_t pid)
{
    return pid == 0 ? Json() : Json(pid);
}

template <class T>
Json number_or_null(const std::optional<T>& number)
{
    return number ? Json(*number) : Json();
}

Json exit_json(const std::optional<ExitStatus>& status)
{
    if (!status) return nullptr;
    const bool code_known = status->known && !status->signalled;
    const bool signal_known = status->known && status->signalled;
    return Json{{"code", code_known ? Json(status->code) : Json()},
                {"signal", signal_known ? Json(status->code) : Json()},
                {"signal_name", signal_known ? Json(signal_name(status->code)) : Json()},
                {"core_dumped", status->known ? Json(status->core_dumped) : Json()},
                {"at", status->at == TimePoint{} ? Json() : time_json(status->at)}};
}

Json diagnostic_json(const Diagnostic& diagnostic)
{
    return Json{{"file", text_or_null(diagnostic.file)},
                {"line", diagnostic.line == 0 ? Json() : Json(diagnostic.line)},
                {"column", diagnostic.column == 0 ? Json() : Json(diagnostic.column)},
                {"message", diagnostic.message},
                {"source_line", diagnostic.line == 0 ? Json() : Json(diagnostic.source_line)},
                {"suggestion", text_or_null(diagnostic.suggestion)}};
}

Json error_json(const Error& error)
{
    Json diagnostics = Json::array();
    for (const Diagnostic& diagnostic : error.diagnostics) diagnostics.push_back(diagnostic_json(diagnostic));
    return Json{{"code", to_string(error.code)},
                {"message", error.message()},
                {"operation", text_or_null(error.operation)},
                {"object", text_or_null(error.object)},
                {"cause", text_or_null(error.cause)},
                {"next_step", text_or_null(error.next_step)},
                {"errno", error.os_errno == 0 ? Json() : Json(error.os_errno)},
                {"detail", error.detail},
                {"diagnostics", diagnostics}};
}

Json summary_json(const ServiceStatus& status)
{
    return Json{{"name", status.name},
                {"scope", status.scope == Scope::user ? "user" : "system"},
                {"description", text_or_null(status.description)},
                {"state", to_string(status.state)},
                {"status_code", status.lsb_code},
                {"reason", text_or_null(status.reason)},
                {"main_pid", pid_or_null(status.main_pid)},
                {"since", time_json(status.since)},
                {"ready", status.ready_since.has_value()},
                {"healthy", status.healthy ? Json(*status.healthy) : Json()},
                {"restarts", status.restarts},
                {"memory_bytes", number_or_null(status.memory)},
                {"service_file", text_or_null(status.service_file)}};
}

Json whole_status_json(const ServiceStatus& status)
{
    Json json = summary_json(status);
    json.update(Json{{"service_file_changed", status.service_file_changed},
                     {"unit_stale", status.unit_stale},
                     {"service_file_gone", status.service_file_gone},
                     {"supervised", status.supervised},
                     {"supervisor_alive", status.supervisor_alive},
                     {"supervisor_pid", pid_or_null(status.supervisor_pid)},
                     {"keeper_pid", pid_or_null(status.keeper_pid)},
                     {"ready_since", time_json(status.ready_since)},
                     {"status_text", text_or_null(status.status_text)},
                     {"next_start", time_json(status.next_start)},
                     {"last_exit", exit_json(status.last_exit)},
                     {"cpu_microseconds", status.cpu ? Json(status.cpu->count()) : Json()},
                     {"tasks", number_or_null(status.tasks)},
                     {"tasks_limit", number_or_null(status.tasks_limit)},
                     {"memory_limit_bytes", number_or_null(status.memory_limit)},
                     {"memory_peak_bytes", number_or_null(status.memory_peak)},
                     {"memory_kills", status.memory_kills},
                     {"command", status.command},
                     {"pid_file", text_or_null(status.pid_file)},
                     {"log_file", text_or_null(status.log_file)},
                     {"init_system", text_or_null(status.init_system)},
                     {"boot", text_or_null(status.boot)},
                     {"last_lines", status.last_lines}});
    return json;
}

Json shown_json(const ShownService& service)
{
    Json keys = Json::array();
    for (const ResolvedKey& key : service.keys) {
        keys.push_back(Json{{"path", key.path},
                            {"value", text_or_null(key.value)},
                            {"file", text_or_null(key.file)},
                            {"line", key.line == 0 ? Json() : Json(key.line)}});
    }
    return Json{{"name", service.name}, {"service_file", text_or_null(service.service_file)}, {"keys", keys}};
}

Json notes_json(const std::vector<KeyNote>& notes)
{
    Json json = Json::array();
    for (const KeyNote& note : notes) {
        json.push_back(Json{
            {"system", to_string(note.system)}, {"key", note.key}, {"how", to_string(note.how)}, {"reason", text_or_null(note.reason)}});
    }
    return json;
}

std::string octal(unsigned mode)
{
    char text[16];
    std::snprintf(text, sizeof text, "%04o", mode);
    return text;
}

template <class T, class ToJson>
Json services_json(const Answers<T>& answers, ToJson to_json)
{
    Json services = Json::array();
    for (const Answer<T>& answer : answers) {
        services.push_back(answer.result ? to_json(answer)
                                         : Json{{"name", text_or_null(answer.name)}, {"error", error_json(answer.result.error())}});
    }
    return services;
}

std::string text_of(const Json& json, const Style& style)
{
    return json.dump(2, ' ', style.terminal, Json::error_handler_t::replace) + "\n";
}

constexpr const char* log_schema = "steward.log/1";

std::string one_line(const Json& json, const Style& style)
{
    return json.dump(-1, ' ', style.terminal, Json::error_handler_t::replace) + "\n";
}

template <class T, class ToJson>
std::string document(const char* schema, const Answers<T>& answers, const Style& style, ToJson to_json)
{
    return text_of(Json{{"schema", schema}, {"services", services_json(answers, to_json)}}, style);
}

Json changes_json(const std::vector<FileChange>& changes)
{
    Json files = Json::array();
    for (const FileChange& file : changes)
        files.push_back(Json{{"path", file.path}, {"change", to_string(file.kind)}, {"difference", file.difference}});
    return files;
}

}  // namespace

std::string log_line_json(const LogLine& line, const Style& style)
{
    const bool event = line.stream == LogLine::Stream::events;
    return one_line(Json{{"schema", log_schema},
                         {"time", time_json(line.time)},
                         {"service", line.service.empty() ? Json() : Json(line.service)},
                         {"stream", event ? Json() : Json(line.stream == LogLine::Stream::error ? "stderr" : "stdout")},
                         {"event", event},
                         {"text", line.text},
                         {"continues", !line.ends}},
                    style);
}

std::string log_fault_json(const std::string& service, const Error& error, const Style& style)
{
    return one_line(Json{{"schema", log_schema}, {"service", text_or_null(service)}, {"error", error_json(error)}}, style);
}

std::string status_json(const Answers<ServiceStatus>& answers, const Style& style)
{
    return document("steward.status/1", answers, style, [](const auto& answer) { return whole_status_json(*answer.result); });
}

std::string list_json(const Answers<ServiceStatus>& answers, const Style& style)
{
    return document("steward.list/1", answers, style, [](const auto& answer) { return summary_json(*answer.result); });
}

std::string tree_json(const Answers<ServiceStatus>& answers, const DependencyMap& dependencies, const Style& style)
{
    return document("steward.list/1", answers, style, [&](const auto& answer) {
        Json json = summary_json(*answer.result);
        const auto found = dependencies.find(answer.name);
        const ServiceSpec::Dependencies wishes = found != dependencies.end() ? found->second : ServiceSpec::Dependencies{};
        json.update(Json{{"requires", wishes.required}, {"wants", wishes.wanted}, {"after", wishes.after}, {"before", wishes.before}});
        return json;
    });
}

std::string show_json(const Answers<ShownService>& answers, const Style& style)
{
    return document("steward.show/1", answers, style, [](const auto& answer) { return shown_json(*answer.result); });
}

std::string check_json(const Answers<Generated>& answers, const Style& style)
{
    return document("steward.check/1", answers, style, [](const auto& answer) {
        return Json{{"name", answer.name}, {"valid", true}, {"notes", notes_json(answer.result->notes)}};
    });
}

std::string generate_json(const Answers<Generated>& answers, const Style& style)
{
    return document("steward.generate/1", answers, style, [](const auto& answer) {
        Json files = Json::array();
        for (const GeneratedFile& file : answer.result->files) {
            files.push_back(Json{{"system", to_string(file.system)}, {"path", file.path}, {"mode", octal(file.mode)}, {"text", file.text}});
        }
        return Json{{"name", answer.name}, {"files", files}, {"notes", notes_json(answer.result->notes)}};
    });
}

std::string scripts_json(const Answers<std::vector<PackageScript>>& answers, const Result<std::vector<PackageScript>>& scripts,
                         const Style& style)
{
    Json json{{"schema", "steward.scripts/1"},
              {"services", services_json(answers,
                                         [](const auto& answer) {
                                             return Json{{"name", answer.name}};
                                         })},
              {"scripts", Json::array()}};
    if (!scripts) json["error"] = error_json(scripts.error());
    if (scripts) {
        for (const PackageScript& script : *scripts) json["scripts"].push_back(Json{{"name", script.name}, {"text", script.text}});
    }
    return text_of(json, style);
}

std::string installation_json(const Answers<Installation>& answers, const Style& style)
{
    return document("steward.install/1", answers, style, [](const auto& answer) {
        const Installation& done = *answer.result;
        return Json{{"name", done.name},
                    {"system", done.system ? Json(to_string(*done.system)) : Json()},
                    {"changed", done.changed},
                    {"installed", done.installed},
                    {"enabled", done.enabled},
                    {"started", done.started},
                    {"kept_edits", done.kept_edits},
                    {"files", changes_json(done.files)},
                    {"notes", notes_json(done.notes)},
                    {"warnings", done.warnings}};
    });
}

std::string application_json(const Answers<Application>& answers, const Style& style)
{
    return document("steward.apply/1", answers, style, [](const auto& answer) {
        const Application& done = *answer.result;
        Json keys = Json::array();
        for (const KeyChange& change : done.keys) {
            keys.push_back(Json{{"key", change.key},
                                {"before", text_or_null(change.before)},
                                {"after", text_or_null(change.after)},
                                {"means", to_string(change.means)}});
        }
        return Json{{"name", done.name},
                    {"running", done.running},
                    {"means", done.means ? Json(to_string(*done.means)) : Json()},
                    {"reason", text_or_null(done.reason)},
                    {"keys", keys},
                    {"files", changes_json(done.files)},
                    {"kept_edits", done.kept_edits}};
    });
}

std::string deeds_json(const Answers<Deed>& answers, const Style& style)
{
    return document("steward.result/1", answers, style, [](const auto& answer) {
        return Json{{"name", answer.name},
                    {"result", answer.result->result},
                    {"main_pid", pid_or_null(answer.result->main_pid)},
                    {"because", text_or_null(answer.result->because)}};
    });
}

}  // namespace steward::cli
