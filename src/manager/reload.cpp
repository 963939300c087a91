// reload and signal: to a service that runs, and to nobody else.
#include "supervise/reload.hpp"

#include "manager/delegate.hpp"
#include "manager/verbs.hpp"
#include "os/event_loop.hpp"
#include "process/launch_plan.hpp"
#include "supervise/client.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

constexpr std::chrono::seconds reload_patience = supervise::reload_command_timeout + std::chrono::seconds(15);

Error not_running(const std::string& operation, const std::string& name)
{
    return Error{.code = ErrorCode::not_running,
                 .operation = operation,
                 .object = name,
                 .cause = "it is not running",
                 .next_step = "steward start " + name};
}

Result<void> run_reload_command(const ServiceSpec& spec, const os::ProcessRef& main)
{
    auto plan = process::make_command_plan(spec, spec.reload.command, {.extra_environment = {{"MAINPID", std::to_string(main.pid())}}});
    if (!plan) return fail(plan.error());
    auto loop = os::EventLoop::create();
    if (!loop) return fail(loop.error());
    supervise::CommandRun::Outcome outcome;
    auto run =
        supervise::CommandRun::start(*loop, *plan, supervise::reload_command_timeout, [&](const supervise::CommandRun::Outcome& told) {
            outcome = told;
            loop->quit();
        });
    if (!run) return fail(run.error());
    if (auto ran = loop->run(); !ran) return fail(ran.error());
    if (!outcome.succeeded()) return fail(supervise::reload_command_error(spec, outcome));
    return {};
}

Result<void> reload_alone(const Located& located, const os::ProcessRef& main)
{
    auto spec = load_started(located);
    if (!spec) return fail(spec.error());
    if (auto way = supervise::check_reload(*spec); !way) return way;
    if (spec->reload.signal != 0) return supervise::reload_by_signal(*spec, main);
    return run_reload_command(*spec, main);
}

}  // namespace

Result<void> reload(Located& located)
{
    auto judgement = judge(located);
    if (!judgement) return fail(judgement.error());
    if (!is_stewards(*judgement)) {
        auto delegate = Delegate::of(located);
        if (!delegate) return fail(delegate.error());
        if (*delegate) return (*delegate)->reload(located);
    }
    switch (judgement->verdict) {
        case Verdict::supervised: {
            auto reply = supervise::ask(*located.directory, supervise::Request::reload, "reload", located.name, reload_patience);
            if (!reply) return fail(reply.error());
            if (reply->error) return fail(*reply->error);
            return {};
        }
        case Verdict::alone: return reload_alone(located, *judgement->main);
        case Verdict::refused:
        case Verdict::undeterminable: return fail(refusal(*judgement, "reload", located.name));
        default: return fail(not_running("reload", located.name));
    }
}

Result<void> signal_main(Located& located, int signal)
{
    auto judgement = judge(located);
    if (!judgement) return fail(judgement.error());
    if (!is_stewards(*judgement)) {
        auto delegate = Delegate::of(located);
        if (!delegate) return fail(delegate.error());
        if (*delegate) return (*delegate)->signal(located, signal);
    }
    if (judgement->verdict == Verdict::refused || judgement->verdict == Verdict::undeterminable) {
        return fail(refusal(*judgement, "signal", located.name));
    }
    if (!judgement->main) return fail(not_running("signal", located.name));
    return judgement->main->signal(signal);
}

}  // namespace steward::manager
