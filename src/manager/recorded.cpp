#include "manager/recorded.hpp"

namespace steward::manager {

Result<supervise::Assignment> recorded_assignment(const std::string& name, const Paths& paths, Foreground foreground)
{
    auto directory = record::ServiceDirectory::open(paths.runtime, name);
    if (!directory) return fail(directory.error());
    Error nothing{.operation = "carry on", .object = name, .cause = "there is no record of it"};
    if (!*directory) return fail(std::move(nothing));
    Located located{.name = name, .ad_hoc = {}, .paths = paths, .sources = {}, .directory = std::move(**directory)};
    const auto state = located.directory->read_state();
    if (!state) return fail(state.error());
    if (!*state) return fail(std::move(nothing));
    if (const auto main = located.directory->read_main(); !main) return fail(main.error());
    auto prepared = prepare_started(located, **state, foreground);
    if (!prepared) return fail(prepared.error());
    auto assignment = assignment_of(std::move(*prepared));
    if (!assignment) return assignment;
    assignment->directory = std::move(*located.directory);
    assignment->adopt = true;
    return assignment;
}

}  // namespace steward::manager
