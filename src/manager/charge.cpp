#include "manager/charge.hpp"

#include "manager/leftovers.hpp"
#include "record/pid_file.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

Result<void> make_record(Located& located)
{
    auto directory = record::ServiceDirectory::create(located.paths.runtime, located.name);
    if (!directory) return fail(directory.error());
    located.directory = std::move(*directory);
    return {};
}

Result<std::optional<Preparation>> prepare_judged(const Located& located, const Judgement& judgement, Foreground foreground,
                                                  std::optional<Preparation> prepared)
{
    if (judgement.verdict == Verdict::alone) {
        if (!judgement.state->supervise) return std::optional<Preparation>();
        auto started = prepare_started(located, *judgement.state, foreground);
        if (!started) return fail(started.error());
        return std::optional(std::move(*started));
    }
    if (prepared) return prepared;
    auto current = prepare(located, foreground, MakeDirectories::yes);
    if (!current) return fail(current.error());
    return std::optional(std::move(*current));
}

}  // namespace

Result<std::optional<Charge>> take_charge(Located& located, const std::string& operation, Foreground foreground,
                                          std::optional<std::chrono::milliseconds> timeout)
{
    std::optional<Preparation> prepared;
    if (!located.directory) {
        auto current = prepare(located, foreground, MakeDirectories::yes);
        if (!current) return fail(current.error());
        prepared = std::move(*current);
        if (auto made = make_record(located); !made) return fail(made.error());
    }
    auto verb_lock = located.directory->lock_verb(timeout);
    if (!verb_lock) return fail(verb_lock.error());
    auto lease = located.directory->take_lease();
    if (!lease) return fail(lease.error());
    if (!*lease) return std::optional<Charge>();

    // A child whose parents were killed holds this until it has become the program, or has died: then the record tells which.
    if (auto launched = located.directory->lock_launch(); !launched) return fail(launched.error());
    auto judgement = judge(located, Lease::ours);
    if (!judgement) return fail(judgement.error());
    if (judgement->verdict == Verdict::refused || judgement->verdict == Verdict::undeterminable) {
        return fail(refusal(*judgement, operation, located.name));
    }
    auto preparation = prepare_judged(located, *judgement, foreground, std::move(prepared));
    if (!preparation) return fail(preparation.error());
    if (judgement->verdict == Verdict::dead) {
        // The next run must not meet the children of the last.
        if (auto ended = end_leftovers(located, *judgement, Manners::kill); !ended) return fail(ended.error());
        static_cast<void>(record::remove_pid_file(judgement->pid_file, 0, judgement->pid_file_owner));
    }
    return std::optional(Charge{.verb_lock = std::move(*verb_lock),
                                .lease = std::move(**lease),
                                .judgement = std::move(*judgement),
                                .preparation = std::move(*preparation)});
}

Result<supervise::Assignment> assign(const Located& located, Charge& charge, const OfferedSockets& offered)
{
    auto directory = record::ServiceDirectory::create(located.paths.runtime, located.name);
    if (!directory) return fail(directory.error());
    const Adopt adopt = charge.judgement.verdict == Verdict::alone ? Adopt::yes : Adopt::no;
    if (adopt == Adopt::no || charge.preparation->spec.sockets.empty())
        return assign(std::move(*charge.preparation), std::move(*directory), std::move(charge.lease), adopt, offered);
    auto held = os::listeners_of(*charge.judgement.main);
    for (os::UniqueFd& other : offered.descriptors) held.push_back(std::move(other));
    offered.descriptors.clear();
    return assign(std::move(*charge.preparation), std::move(*directory), std::move(charge.lease), adopt,
                  {.descriptors = held, .files = offered.files});
}

}  // namespace steward::manager
