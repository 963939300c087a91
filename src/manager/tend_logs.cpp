// logs --rotate and --reopen: asked of the supervisor, which alone writes the log.
#include "manager/verbs.hpp"
#include "supervise/client.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

constexpr std::chrono::seconds patience{30};

// Unset: nobody supervises it, nor has to.
Result<std::optional<Judgement>> supervised(const Located& located, const char* operation)
{
    auto judgement = judge(located);
    if (!judgement) return fail(judgement.error());
    const auto refuse = [&](ErrorCode code, const char* cause, std::string next_step) {
        return fail(Error{.code = code, .operation = operation, .object = located.name, .cause = cause, .next_step = std::move(next_step)});
    };
    switch (judgement->verdict) {
        case Verdict::supervised: return std::optional(std::move(*judgement));
        case Verdict::alone:
            if (!judgement->state || !judgement->state->supervise)
                return refuse(ErrorCode::unsupported, "it writes its log itself (supervise = false)", {});
            return refuse(ErrorCode::not_running, "nobody supervises it", "steward start " + located.name);
        case Verdict::refused:
        case Verdict::undeterminable: return fail(refusal(*judgement, operation, located.name));
        default: return std::optional<Judgement>();
    }
}

Result<void> ask(const Located& located, supervise::Request request, const char* operation)
{
    auto reply = supervise::ask(*located.directory, request, operation, located.name, patience);
    if (!reply) return fail(reply.error());
    if (reply->error) return fail(*reply->error);
    return {};
}

}  // namespace

Result<void> rotate_logs(Located& located)
{
    constexpr const char* operation = "rotate the log of";
    const auto judged = supervised(located, operation);
    if (!judged) return fail(judged.error());
    if (*judged) return ask(located, supervise::Request::rotate_logs, operation);
    return fail(Error{.code = ErrorCode::not_running, .operation = operation, .object = located.name, .cause = "it is not running"});
}

// What does not run opens its log by name when it is started.
Result<void> reopen_logs(Located& located)
{
    constexpr const char* operation = "reopen the log of";
    const auto judged = supervised(located, operation);
    if (!judged) return fail(judged.error());
    return *judged ? ask(located, supervise::Request::reopen_logs, operation) : Result<void>();
}

}  // namespace steward::manager
