#include "manager/purge.hpp"

#include "manager/judgement.hpp"
#include "os/file.hpp"
#include "process/launch_plan.hpp"

namespace steward::manager {

namespace {

// "web.log" and what rotation makes of it: "web.log.1", "web.log.2.gz".
bool is_log_of(const std::string& base, const std::string& file)
{
    if (file == base) return true;
    const bool rotated = file.starts_with(base + ".") && file.size() > base.size() + 1;
    return rotated && file[base.size() + 1] >= '0' && file[base.size() + 1] <= '9';
}

void add_logs(const Site& site, const std::string& log, std::vector<std::string>& found)
{
    const auto names = site.tree.list(os::parent_of(log));
    for (const std::string& file : names ? *names : std::vector<std::string>()) {
        if (is_log_of(os::base_of(log), file)) found.push_back(os::parent_of(log) + "/" + file);
    }
}

}  // namespace

std::vector<std::string> belongings_of(const Site& site, const std::string& name)
{
    std::vector<std::string> found;
    const auto add = [&](const std::string& path) {
        const auto there = site.tree.look(path, 0);
        const bool is_something = !there || *there;  // a file of any size is an error to look at
        if (is_something) found.push_back(path);
    };
    add(site.paths.runtime + "/" + name);
    const auto manifest = read_manifest(site.tree, site.paths.state, name);
    // Where its log/run has svlogd write.
    if (manifest && *manifest && (*manifest)->system == InitSystem::runit) add("/var/log/runit/" + name);
    const Target target{.name = name, .file = {}, .command = {}};
    const auto located = locate_in(target, site.paths.scope, site.root, "purge");
    const auto loaded = located ? load_current(*located) : Result<config::Loaded>(fail(located.error()));
    add_logs(site, site.paths.log_file(name), found);
    if (!loaded) return found;
    for (const std::string& log : {loaded->spec.log.file, loaded->spec.log.stderr_file}) {
        if (!log.empty()) add_logs(site, log, found);
    }
    const auto roots = process::directory_roots(site.paths.scope == Scope::system);
    const auto& made = loaded->spec.directories;
    for (const std::string& state : made.state) add(roots.state + "/" + state);
    for (const std::string& cache : made.cache) add(roots.cache + "/" + cache);
    for (const std::string& logs : made.logs) add(roots.logs + "/" + logs);
    return found;
}

Result<std::optional<os::UniqueFd>> hold_stopped(const Site& site, const std::string& name)
{
    const auto located = locate({.name = name, .file = {}, .command = {}}, site.paths.scope, "purge");
    if (!located || !located->directory) return std::optional<os::UniqueFd>();
    auto held = located->directory->lock_verb(std::nullopt);
    if (!held) return fail(held.error());
    const auto judgement = judge(*located);
    if (!judgement) return fail(judgement.error());
    const bool over = judgement->verdict == Judgement::Verdict::stopped || judgement->verdict == Judgement::Verdict::dead;
    if (!over) return fail(Error{.code = ErrorCode::already_running, .operation = "purge", .object = name, .cause = "it runs"});
    return std::optional(std::move(*held));
}

}  // namespace steward::manager
