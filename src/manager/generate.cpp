// generate: units and scripts as text, or written below a directory as a package owns them.
#include "manager/generate.hpp"

#include <algorithm>

#include "config/loader.hpp"
#include "init/packages.hpp"
#include "manager/manifest.hpp"
#include "os/error.hpp"
#include "os/file.hpp"

namespace steward::manager {

namespace {

constexpr const char* packaged_steward = "/usr/bin/steward";
constexpr std::size_t largest_service_file = 1024 * 1024;

Error unable(const std::string& name, ErrorCode code, std::string cause, std::string next_step = {})
{
    return Error{.code = code, .operation = "generate for", .object = name, .cause = std::move(cause), .next_step = std::move(next_step)};
}

Result<void> add_file(Generated& generated, GeneratedFile file)
{
    const auto same = std::ranges::find(generated.files, file.path, &GeneratedFile::path);
    if (same != generated.files.end()) {
        return fail(unable(generated.name, ErrorCode::invalid_argument,
                           std::string(to_string(same->system)) + " and " + std::string(to_string(file.system)) + " both want " + file.path,
                           "one of them at a time"));
    }
    generated.files.push_back(std::move(file));
    return {};
}

Result<void> write_below(const std::string& destination, const GeneratedFile& file)
{
    const std::string path = os::absolute(destination) + file.path;
    auto directory = os::make_directories(os::parent_of(path), 0755);
    if (!directory) return fail(directory.error());
    return os::replace_file(*directory, os::base_of(path), file.text, file.mode);
}

}  // namespace

std::string source_hash(const ServiceSpec& spec)
{
    return hash_of(config::render(spec));
}

init::Request request_for(const config::Loaded& loaded, Scope scope, const std::string& service_file, std::string steward)
{
    return {.spec = loaded.spec,
            .written = init::written_keys(loaded.keys),
            .scope = scope,
            .service_file = service_file_name(service_file),
            .source_hash = source_hash(loaded.spec),
            .steward = std::move(steward)};
}

Result<void> require_expressible(const std::string& name, const std::vector<KeyNote>& notes)
{
    for (const KeyNote& note : notes) {
        if (note.how != Expression::lost) continue;
        return fail(unable(name, ErrorCode::unsupported,
                           "under " + std::string(to_string(note.system)) + " " + note.key + " would be lost: it " + note.reason));
    }
    return {};
}

Result<Generated> generate(const Located& located, const GenerateOptions& options)
{
    if (!located.sources) return fail(unable(located.name, ErrorCode::unknown_service, "it has no service file"));
    auto loaded = config::load(*located.sources);
    if (!loaded) return fail(loaded.error());
    init::Request request = request_for(*loaded, located.paths.scope, located.sources->file, packaged_steward);
    request.with_steward = options.with_steward;
    Generated generated{.name = located.name, .files = {}, .notes = {}};
    bool needs_steward = false;
    for (const InitSystem system : options.systems) {
        auto rendered = init::render(system, request);
        if (!rendered) return fail(rendered.error());
        needs_steward = needs_steward || rendered->needs_steward;
        generated.notes.insert(generated.notes.end(), rendered->notes.begin(), rendered->notes.end());
        for (GeneratedFile& file : rendered->files) {
            if (auto added = add_file(generated, std::move(file)); !added) return fail(added.error());
        }
    }
    if (options.strict) {
        if (auto whole = require_expressible(generated.name, generated.notes); !whole) return fail(whole.error());
    }
    if (options.destination.empty()) return generated;
    if (needs_steward) {
        auto text = os::read_file(located.sources->file, largest_service_file);
        if (!text) return fail(text.error());
        const std::string path = "/usr/lib/steward/" + service_file_name(located.sources->file);
        generated.files.push_back({.system = options.systems.front(), .path = path, .mode = 0644, .text = std::move(*text)});
    }
    for (const GeneratedFile& file : generated.files) {
        if (auto written = write_below(options.destination, file); !written) return fail(written.error());
    }
    return generated;
}

Result<std::vector<PackageScript>> package_scripts(const std::vector<Located>& services, PackageFormat format,
                                                   const std::string& destination)
{
    std::vector<std::string> names;
    for (const Located& located : services) {
        if (!located.sources) return fail(unable(located.name, ErrorCode::unknown_service, "it has no service file"));
        if (auto loaded = config::load(*located.sources); !loaded) return fail(loaded.error());
        names.push_back(located.name);
    }
    auto scripts = init::package_scripts(format, names);
    if (destination.empty()) return scripts;
    auto directory = os::make_directories(os::absolute(destination), 0755);
    if (!directory) return fail(directory.error());
    for (const PackageScript& script : scripts) {
        if (auto written = os::replace_file(*directory, script.name, script.text, 0755); !written) return fail(written.error());
    }
    return scripts;
}

}  // namespace steward::manager
