#include "manager/renew.hpp"

#include "manager/generate.hpp"
#include "manager/install.hpp"
#include "manager/manifest.hpp"

namespace steward::manager {

std::optional<Manifest> manifest_of(const Located& located)
{
    const auto own = find_service_file(located.paths, located.name);
    if (!located.sources || !own || !*own || (*own)->file != located.sources->file) return std::nullopt;
    const auto host = os::Tree::open({});
    auto manifest = host ? read_manifest(*host, located.paths.state, located.name) : Result<std::optional<Manifest>>(std::nullopt);
    if (!manifest || !*manifest || !(*manifest)->system) return std::nullopt;
    return std::move(**manifest);
}

namespace {

bool is_stale(const Located& located, const Manifest& manifest)
{
    const auto host = os::Tree::open({});
    const auto loaded = load_current(located);
    if (!host || !loaded) return false;
    const std::string source = "steward-source: " + source_hash(loaded->spec) + "\n";
    for (const Manifest::Entry& entry : manifest.entries) {
        if (entry.kind != Content::Kind::file) continue;
        const auto content = content_at(*host, entry.path);
        if (!content || content->kind != Content::Kind::file) continue;
        if (content->text.find("\n# steward-source: ") == std::string::npos) continue;
        if (content->text.find(source) == std::string::npos) return true;
    }
    return false;
}

}  // namespace

bool is_unit_stale(const Located& located)
{
    const auto manifest = manifest_of(located);
    return manifest && is_stale(located, *manifest);
}

bool renew_unit(const Located& located)
{
    const auto manifest = manifest_of(located);
    if (!manifest || !is_stale(located, *manifest)) return false;
    const auto renewed = install({.name = located.name, .file = {}, .command = {}},
                                 {.scope = located.paths.scope, .here = !located.init_system}, {.init = manifest->system});
    return renewed && reopens_sockets(*renewed);
}

}  // namespace steward::manager
