#include "init/render.hpp"

#include <algorithm>

#include "init/mapping.hpp"
#include "init/script.hpp"

namespace steward::init {

namespace {

Error refused(const ServiceSpec& spec, InitSystem system, std::string cause)
{
    return Error{.code = ErrorCode::invalid_service_file,
                 .operation = "make a file of " + std::string(to_string(system)) + " for",
                 .object = spec.name,
                 .cause = std::move(cause)};
}

bool has_newline(const std::string& text)
{
    return text.find_first_of("\n\r") != std::string::npos;
}

// A line of a unit or script ends at a newline, and what stood behind it would be read as something else. Other values have been held to
// one line by the loader already.
Result<void> require_lines(const ServiceSpec& spec, InitSystem system)
{
    const auto refuse = [&](const char* key) { return fail(refused(spec, system, std::string(key) + " holds a newline")); };
    if (std::ranges::any_of(spec.service.command, has_newline)) return refuse("[service] command");
    for (const auto& [name, value] : spec.service.environment) {
        if (has_newline(name) || has_newline(value)) return refuse("[service] environment");
    }
    if (std::ranges::any_of(spec.stop.command, has_newline)) return refuse("[stop] command");
    if (std::ranges::any_of(spec.reload.command, has_newline)) return refuse("[reload] command");
    return {};
}

Result<void> require_name(const ServiceSpec& spec, InitSystem system)
{
    const std::string& name = spec.name;
    const bool instance = name.find('@') != std::string::npos;
    if (system == InitSystem::dinit && instance) return fail(refused(spec, system, "dinit takes what follows '@' for an argument"));
    if ((system == InitSystem::openrc || system == InitSystem::sysv) && name.ends_with(".sh"))
        return fail(refused(spec, system, "scripts that end in .sh are not services there"));
    return {};
}

bool init_system_supervises(InitSystem system)
{
    return system != InitSystem::sysv && system != InitSystem::openrc;
}

// Whether the init system starts the program itself, because nobody wants steward in between.
bool forbids_steward(const Request& request, InitSystem system)
{
    const auto& spec = request.spec;
    const bool refused = !request.with_steward || spec.install.supervisor == Supervisor::init;
    return refused || (!spec.service.supervise && init_system_supervises(system));
}

struct Verdict {
    Form form = Form::native;
    std::vector<KeyNote> notes;
};

// The form of the files, and what becomes of each written key in it.
Verdict judge(const Request& request, InitSystem system)
{
    Verdict verdict;
    const bool forbidden = forbids_steward(request, system);
    for (const std::string& key : request.written) {
        const Mapping* mapping = find_mapping(key);
        if (mapping == nullptr) continue;
        Expression how = base_expression(*mapping, system);
        std::string reason = how == Expression::native ? std::string() : std::string("has no equal there");
        if (how == Expression::lost && mapping->table.starts_with("systemd.")) reason = "is systemd's alone";
        if (how == Expression::native && mapping->doubt != nullptr) {
            reason = mapping->doubt(request.spec, system);
            if (!reason.empty()) how = mapping->doubtful;
        }
        if (how == Expression::native) continue;
        if (how == Expression::carried && forbidden) how = Expression::lost;
        verdict.notes.push_back({.system = system, .key = key, .how = how, .reason = std::move(reason)});
    }
    const bool carries = std::ranges::any_of(verdict.notes, [](const KeyNote& note) { return note.how == Expression::carried; });
    // Where the init system has few words of its own, the script is a thin one that calls steward.
    const bool wanted = system != InitSystem::systemd || carries || request.spec.install.supervisor == Supervisor::steward;
    verdict.form = wanted && !forbidden ? Form::steward : Form::native;
    return verdict;
}

Rendered render_form(InitSystem system, const Request& request, Form form)
{
    switch (system) {
        case InitSystem::systemd: return render_systemd(request, form);
        case InitSystem::sysv: return render_sysv(request, form);
        case InitSystem::openrc: return render_openrc(request, form);
        case InitSystem::runit: return render_runit(request, form);
        case InitSystem::s6: return render_s6(request, form);
        case InitSystem::dinit: return render_dinit(request, form);
    }
    return {};
}

}  // namespace

std::set<std::string, std::less<>> written_keys(const std::vector<ResolvedKey>& keys)
{
    std::set<std::string, std::less<>> written;
    for (const ResolvedKey& key : keys) {
        if (key.line == 0) continue;
        const Mapping* mapping = find_mapping(key.path);
        const bool inner = mapping != nullptr && mapping->name != "*";
        written.insert(inner ? std::string(mapping->table) + "." + std::string(mapping->name) : key.path);
    }
    return written;
}

Result<Rendered> render(InitSystem system, const Request& request)
{
    if (auto named = require_name(request.spec, system); !named) return fail(named.error());
    if (auto lines = require_lines(request.spec, system); !lines) return fail(lines.error());
    if (request.scope == Scope::user && system != InitSystem::systemd) {
        Error error = refused(request.spec, system, "it starts services of the system alone");
        error.code = ErrorCode::unsupported;
        error.next_step = "--init systemd, or --system";
        return fail(std::move(error));
    }
    Verdict verdict = judge(request, system);
    for (const KeyNote& note : verdict.notes) {
        // Without its command there is no service.
        if (note.key == "service.command" && note.how == Expression::lost)
            return fail(refused(request.spec, system, note.key + " " + note.reason));
    }
    // A log that is lost is not opened: its output goes where the init system has it go.
    ServiceSpec spec = request.spec;
    for (const KeyNote& note : verdict.notes) {
        if (note.key == "log.file" && note.how == Expression::lost) spec.log.file.clear();
        if (note.key == "log.stderr-file" && note.how == Expression::lost) spec.log.stderr_file.clear();
    }
    const Request said{.spec = spec,
                       .written = request.written,
                       .scope = request.scope,
                       .service_file = request.service_file,
                       .source_hash = request.source_hash,
                       .steward = request.steward,
                       .with_steward = request.with_steward};
    Rendered rendered = render_form(system, said, verdict.form);
    for (GeneratedFile& file : rendered.files) file.system = system;
    rendered.notes = std::move(verdict.notes);
    rendered.needs_steward = verdict.form == Form::steward;
    return rendered;
}

}  // namespace steward::init
