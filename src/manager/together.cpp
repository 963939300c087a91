#include "manager/together.hpp"

#include <algorithm>

#include "manager/delegate.hpp"
#include "manager/family.hpp"
#include "manager/in_order.hpp"
#include "manager/lent_sockets.hpp"
#include "manager/preparation.hpp"

namespace steward::manager {

namespace {

// Starting and what failed on the way.
class StartParty {
  public:
    StartParty(std::vector<Member> members, const StartOptions& options, const OnStarted& told)
        : members_(std::move(members)), graph_(graph_of(members_)), options_(options), told_(told), failed_(members_.size()), work_{}
    {
        const auto followers = graph_.followers();
        for (std::size_t place = 0; place < members_.size(); ++place) {
            auto& waits = work_.waits_for.emplace_back();
            for (const auto& link : graph_.before(place)) waits.push_back(link.of);
            awaited_.push_back(!followers[place].empty());
        }
        work_.refusal = [this](std::size_t place) { return refusal(place); };
        work_.act = [this](std::size_t place) { return act(place); };
        work_.done = [this](std::size_t place, const Piece& piece) { done(place, piece); };
        work_.always_apart = std::ranges::any_of(members_, [](const Member& member) { return leaves_session(member.located); });
    }

    void begin() { carry_out(work_); }

  private:
    [[nodiscard]] std::optional<Error> refusal(std::size_t place) const
    {
        if (members_[place].fault) return members_[place].fault;
        for (const auto& link : graph_.before(place)) {
            if (!link.required || !failed_[link.of]) continue;
            return Error{.code = ErrorCode::failed,
                         .operation = "start",
                         .object = members_[place].located.name,
                         .cause = "it requires '" + members_[link.of].located.name + "', which is not up"};
        }
        return std::nullopt;
    }

    [[nodiscard]] Piece act(std::size_t place)
    {
        StartOptions options = options_;
        // Whoever comes after it has to know that it is up.
        options.wait = options.wait || awaited_[place];
        const auto outcome = start(members_[place].located, options);
        if (!outcome) return {.reply = {.error = outcome.error(), .main_pid = 0, .killed = false}};
        return {.reply = {.error = {}, .main_pid = outcome->main_pid, .killed = false},
                .already_running = outcome->already_running,
                .adopted = outcome->adopted};
    }

    void done(std::size_t place, const Piece& piece)
    {
        const Member& member = members_[place];
        failed_[place] = piece.reply.error.has_value();
        StartPart part{.name = member.located.name, .role = member.role, .of = member.of, .outcome = StartOutcome{}};
        if (piece.reply.error) {
            // From a process of its own the error comes without its diagnostics.
            const bool of_file = member.unreadable && member.unreadable->code == piece.reply.error->code;
            part.outcome = fail(of_file ? *member.unreadable : *piece.reply.error);
        } else {
            part.outcome =
                StartOutcome{.already_running = piece.already_running, .adopted = piece.adopted, .main_pid = piece.reply.main_pid};
        }
        // That what it needs was there anyway is no news.
        if (member.role == Role::asked || !piece.already_running) told_(part);
    }

    std::vector<Member> members_;
    DependencyGraph graph_;
    StartOptions options_;
    const OnStarted& told_;
    std::vector<bool> failed_;
    std::vector<bool> awaited_;
    Work work_;
};

Work stopping(std::vector<Member>& members, const OnStopped& told)
{
    Work work;
    const DependencyGraph graph = graph_of(members);
    work.waits_for = graph.followers();
    // What goes in a circle, or hangs on one, is stopped at once.
    std::vector<bool> ordered(members.size());
    for (const std::size_t place : graph.order()) ordered[place] = true;
    for (std::size_t place = 0; place < members.size(); ++place) {
        if (!ordered[place]) std::erase_if(work.waits_for[place], [&](std::size_t other) { return !ordered[other]; });
    }
    work.refusal = [](std::size_t) { return std::nullopt; };
    work.act = [&members](std::size_t place) -> Piece {
        const auto outcome = stop(members[place].located);
        if (!outcome) return {.reply = {.error = outcome.error(), .main_pid = 0, .killed = false}};
        return {.reply = {.error = {}, .main_pid = 0, .killed = outcome->killed}, .was_running = outcome->was_running};
    };
    work.done = [&members, &told](std::size_t place, const Piece& piece) {
        const Member& member = members[place];
        StopPart part{.name = member.located.name, .role = member.role, .of = member.of, .outcome = StopOutcome{}};
        if (piece.reply.error) {
            part.outcome = fail(*piece.reply.error);
        } else {
            part.outcome = StopOutcome{.was_running = piece.was_running, .killed = piece.reply.killed};
        }
        told(part);
    };
    return work;
}

// In one stroke, for the init system knows what else hangs on it. Unset: it is not the init system's, or steward runs it beside it.
Result<std::optional<StartOutcome>> restart_by_init_system(const Located& located, const StartOptions& options)
{
    auto delegate = Delegate::of(located);
    if (!delegate) return fail(delegate.error());
    if (!*delegate || is_only_stewards(located, **delegate)) return std::optional<StartOutcome>();
    auto outcome = (*delegate)->restart(located, options);
    if (!outcome) return fail(outcome.error());
    return std::optional(*outcome);
}

// What was stopped for it comes up again even when it did not stop itself.
Result<std::optional<StartOutcome>> start_again(std::vector<Member> members, const StartOptions& options, std::optional<Error> not_stopped,
                                                const OnStarted& others)
{
    const std::string name = members.front().located.name;
    std::vector<Located> asked;
    for (Member& member : members) asked.push_back(std::move(member.located));
    Result<StartOutcome> outcome = StartOutcome{};
    start_together(std::move(asked), options, [&](const StartPart& part) {
        if (part.name == name) {
            outcome = part.outcome;
        } else if (others) {
            const bool dependent = part.role == Role::asked;
            others(dependent ? StartPart{.name = part.name, .role = Role::dependent, .of = name, .outcome = part.outcome} : part);
        }
    });
    if (not_stopped) return fail(std::move(*not_stopped));
    if (!outcome) return fail(outcome.error());
    // Another start may have come between: it was started anew all the same.
    outcome->already_running = false;
    return std::optional(*outcome);
}

}  // namespace

void start_together(std::vector<Located> asked, const StartOptions& options, const OnStarted& told)
{
    StartParty(with_needs(std::move(asked)), options, told).begin();
}

void stop_together(std::vector<Located> asked, const OnStopped& told)
{
    auto members = with_dependents(std::move(asked));
    const Work work = stopping(members, told);
    carry_out(work);
}

Result<std::optional<StartOutcome>> restart_together(Located located, const StartOptions& options, RestartWhat what,
                                                     const OnStarted& others)
{
    // The new file is proven good before the old service is stopped.
    if (auto prepared = prepare(located, Foreground::no, MakeDirectories::no); !prepared) return fail(prepared.error());
    if (what == RestartWhat::running && !is_running(located)) {
        if (auto tidied = stop(located); !tidied) return fail(tidied.error());
        return std::optional<StartOutcome>();
    }
    std::vector<Located> asked;
    asked.push_back(std::move(located));
    auto members = with_dependents(std::move(asked));
    if (members.size() == 1) {
        auto outcome = restart_by_init_system(members.front().located, options);
        if (!outcome) return fail(outcome.error());
        if (*outcome) return outcome;
    }
    for (const Member& member : members) {
        if (member.role == Role::asked) continue;
        if (auto prepared = prepare(member.located, Foreground::no, MakeDirectories::no); !prepared) return fail(prepared.error());
    }
    // Whoever connects from here on is served by the next run.
    for (Member& member : members) borrow_sockets(member.located);
    std::optional<Error> not_stopped;
    const OnStopped stopped = [&](const StopPart& part) {
        if (!part.outcome && !not_stopped) not_stopped = part.outcome.error();
    };
    carry_out(stopping(members, stopped));
    return start_again(std::move(members), options, std::move(not_stopped), others);
}

}  // namespace steward::manager
