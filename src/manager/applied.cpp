#include "manager/applied.hpp"

#include "config/loader.hpp"

namespace steward::manager {

std::string applied_path(const std::string& state_directory, const std::string& name)
{
    return state_directory + "/" + name + "/service.toml";
}

// The environment in it may be for nobody else to read.
Content applied_content(const ServiceSpec& spec)
{
    return Content::file(config::render(spec), 0600);
}

std::optional<ServiceSpec> read_applied(const Site& site, const std::string& name)
{
    const std::string path = applied_path(site.paths.state, name);
    const auto content = content_at(site.tree, path);
    if (!content || content->kind != Content::Kind::file) return std::nullopt;
    auto loaded = config::load_text(content->text, path, name);
    return loaded ? std::optional(std::move(loaded->spec)) : std::nullopt;
}

Result<void> write_applied(const Site& site, const ServiceSpec& spec)
{
    auto workplace = Workplace::enter(site, spec.name);
    if (!workplace) return fail(workplace.error());
    const std::string path = applied_path(site.paths.state, spec.name);
    auto before = content_at(site.tree, path);
    if (!before) return fail(before.error());
    const Content after = applied_content(spec);
    if (before->same(after)) return {};
    return workplace->ledger().carry_out({{.path = path, .before = *before, .after = after}}, [] { return Result<void>(); });
}

}  // namespace steward::manager
