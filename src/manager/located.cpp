#include "manager/located.hpp"

namespace steward::manager {

namespace {

Result<config::Loaded> loaded_from_record(const Located& located)
{
    if (!located.directory) return fail(Error{.code = ErrorCode::unknown_service, .operation = "load", .object = located.name});
    auto text = located.directory->read_service_file();
    if (!text) return fail(text.error());
    if (!*text) {
        return fail(Error{.code = ErrorCode::unknown_service,
                          .operation = "load",
                          .object = located.name,
                          .cause = "its service file is gone, and so is what it was started with"});
    }
    return config::load_text(**text, located.directory->path() + "/service.toml", located.name);
}

Result<bool> look_in(Located& located, const Paths& paths)
{
    located.paths = paths;
    if (located.ad_hoc.empty()) {
        auto sources = find_service_file(paths, located.name);
        if (!sources) return fail(sources.error());
        located.sources = std::move(*sources);
    }
    auto directory = record::ServiceDirectory::open(paths.runtime, located.name);
    if (!directory) return fail(directory.error());
    located.directory = std::move(*directory);
    if (located.sources || !located.ad_hoc.empty()) return true;
    if (!located.directory) return false;
    auto state = located.directory->read_state();
    return !state || state->has_value();
}

}  // namespace

Result<Located> locate(const Target& target, std::optional<Scope> scope, const std::string& operation)
{
    Located located{.name = target.name, .ad_hoc = target.command, .paths = {}, .sources = {}, .directory = {}, .loaded = {}};
    if (!target.file.empty()) {
        auto paths = paths_of(scope.value_or(callers_scope()));
        if (!paths) return fail(paths.error());
        auto sources = sources_of_file(*paths, target.file);
        if (!sources) return fail(sources.error());
        located.name = sources->name;
        auto directory = record::ServiceDirectory::open(paths->runtime, located.name);
        if (!directory) return fail(directory.error());
        located.paths = std::move(*paths);
        located.sources = std::move(*sources);
        located.directory = std::move(*directory);
        return located;
    }
    const Scope first = scope.value_or(callers_scope());
    const Scope second = first == Scope::system ? Scope::user : Scope::system;
    auto paths = paths_of(first);
    if (!paths) return fail(paths.error());
    auto found = look_in(located, *paths);
    if (!found) return fail(found.error());
    if (*found) return located;
    if (!scope) {
        // A caller without a home has no user scope to look in.
        if (auto other = paths_of(second)) {
            auto found_there = look_in(located, *other);
            if (found_there && *found_there) return located;
        }
    }
    const std::string wanted = paths->config.front() + "/" + target.name + ".toml";
    return fail(Error{.code = ErrorCode::unknown_service,
                      .operation = operation,
                      .object = target.name,
                      .cause = "no such service: there is no " + wanted,
                      .next_step = "steward list"});
}

Result<config::Loaded> load_current(const Located& located)
{
    if (located.loaded) return *located.loaded;
    if (located.sources) return config::load(*located.sources);
    if (located.ad_hoc.empty()) return loaded_from_record(located);
    ServiceSpec spec;
    spec.name = located.name;
    spec.service.command = located.ad_hoc;
    return config::load_made(spec);
}

Result<ServiceSpec> load_started(const Located& located)
{
    if (auto recorded = loaded_from_record(located)) return std::move(recorded->spec);
    auto current = load_current(located);
    if (!current) return fail(current.error());
    return std::move(current->spec);
}

}  // namespace steward::manager
