// check: everything about a start but the start.
#include <map>

#include "manager/family.hpp"
#include "manager/preparation.hpp"
#include "manager/verbs.hpp"

namespace steward::manager {

namespace {

// The services of a scope are read once, and only if somebody depends on any.
class Checks {
  public:
    explicit Checks(const std::vector<Result<Located>>& targets)
    {
        for (const auto& located : targets) {
            if (located && located->sources) targets_.push_back(&*located);
        }
    }

    Result<void> check(const Located& located)
    {
        auto loaded = load_current(located);
        if (loaded && loaded->spec.dependencies != ServiceSpec::Dependencies{}) {
            if (auto sound = of_scope(located.paths).check(located.name, *loaded); !sound) return sound;
        }
        auto prepared = prepare(located, Foreground::no, MakeDirectories::no);
        if (!prepared) return fail(prepared.error());
        return {};
    }

  private:
    const DependencyCheck& of_scope(const Paths& paths)
    {
        const auto known = scopes_.find(paths.scope);
        return known != scopes_.end() ? known->second : scopes_.emplace(paths.scope, DependencyCheck(paths, targets_)).first->second;
    }

    std::vector<const Located*> targets_;
    std::map<Scope, DependencyCheck> scopes_;
};

}  // namespace

std::vector<Result<void>> check(const std::vector<Target>& targets, std::optional<Scope> scope)
{
    std::vector<Result<Located>> found;
    found.reserve(targets.size());
    for (const Target& target : targets) found.push_back(locate(target, scope, "check"));
    Checks checks(found);
    std::vector<Result<void>> outcomes;
    for (const auto& located : found) {
        outcomes.push_back(located ? checks.check(*located) : Result<void>(fail(located.error())));
    }
    return outcomes;
}

}  // namespace steward::manager
