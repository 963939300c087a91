#include "supervise/hook.hpp"

#include <algorithm>
#include <csignal>

#include "os/error.hpp"
#include "os/shortage.hpp"
#include "supervise/readiness.hpp"

namespace steward::supervise {

namespace {

constexpr std::chrono::seconds shortage_pause{1};

// The file's environment may have given it another value.
void set(std::vector<std::string>& environment, const std::string& name, const std::string& value)
{
    std::erase_if(environment, [&](const std::string& variable) { return variable.starts_with(name + "="); });
    environment.push_back(name + "=" + value);
}

}  // namespace

std::string_view to_string(Hook hook)
{
    switch (hook) {
        case Hook::pre_start: return "pre-start";
        case Hook::post_start: return "post-start";
        case Hook::pre_stop: return "pre-stop";
        case Hook::post_stop: return "post-stop";
        case Hook::on_failure: return "on-failure";
        case Hook::on_give_up: return "on-give-up";
    }
    return "";
}

const std::vector<Argv>& commands_of(const ServiceSpec& spec, Hook hook)
{
    switch (hook) {
        case Hook::pre_start: return spec.hooks.pre_start;
        case Hook::post_start: return spec.hooks.post_start;
        case Hook::pre_stop: return spec.hooks.pre_stop;
        case Hook::post_stop: return spec.hooks.post_stop;
        case Hook::on_failure: return spec.hooks.on_failure;
        case Hook::on_give_up: break;
    }
    return spec.hooks.on_give_up;
}

void tell(process::LaunchPlan& command, Hook hook, const HookNews& news)
{
    const bool known = news.last_exit && news.last_exit->known;
    const bool signalled = known && news.last_exit->signalled;
    auto& environment = command.environment;
    set(environment, "STEWARD_NAME", news.service);
    set(environment, "STEWARD_EVENT", std::string(to_string(hook)));
    set(environment, "STEWARD_EXIT_CODE", known && !signalled ? std::to_string(news.last_exit->code) : "");
    set(environment, "STEWARD_SIGNAL", signalled ? signal_name(news.last_exit->code) : "");
    set(environment, "STEWARD_RESTARTS", std::to_string(news.restarts));
}

HookRun::HookRun(os::EventLoop& loop, Hook hook, Commands commands, Duration timeout, Done done, Told told)
    : loop_(loop), hook_(hook), commands_(std::move(commands)), timeout_(timeout), done_(std::move(done)), told_(std::move(told))
{
    for (auto& command : commands_) command.parent_death_signal = SIGKILL;
    timer_ = loop_.after(Duration::zero(), [this] { next(); });
}

HookRun::~HookRun()
{
    loop_.cancel(timer_);
}

bool HookRun::command_ended(std::int32_t pid, const ExitStatus& status)
{
    if (run_ == nullptr || run_->pid() != pid) return false;
    run_->ended(status);
    return true;
}

void HookRun::end()
{
    commands_.resize(std::min(commands_.size(), at_ + 1));
    if (run_ != nullptr) return run_->end();
    at_ = commands_.size();
    loop_.cancel(timer_);
    timer_ = loop_.after(Duration::zero(), [this] { next(); });
}

void HookRun::next()
{
    timer_ = 0;
    if (at_ >= commands_.size()) return finish(std::nullopt);
    auto run = CommandRun::start(loop_, commands_[at_], timeout_, [this](const CommandRun::Outcome& outcome) { command_done(outcome); });
    if (run) {
        run_ = std::move(*run);
        if (told_.started) told_.started(run_->identity());
        return;
    }
    if (!os::is_shortage(run.error().os_errno)) {
        return finish("its " + std::string(to_string(hook_)) + " hook could not be run: " + run.error().cause);
    }
    if (told_.trouble) told_.trouble(run.error());
    timer_ = loop_.after(shortage_pause, [this] { next(); });
}

void HookRun::command_done(const CommandRun::Outcome& outcome)
{
    run_.reset();
    const std::string program = os::quoted(commands_[at_].argv.front());
    ++at_;
    if (outcome.succeeded()) return next();
    const std::string end =
        outcome.timed_out ? "did not end within " + limit_text(timeout_) + " and was killed" : "ended with " + to_string(*outcome.exit);
    finish("its " + std::string(to_string(hook_)) + " hook " + program + " " + end);
}

void HookRun::finish(const Failure& failure)
{
    loop_.cancel(timer_);
    timer_ = 0;
    const Done done = std::move(done_);
    done(failure);
}

Result<HookRun::Failure> run_hook(Hook hook, Commands commands, Duration timeout)
{
    if (commands.empty()) return HookRun::Failure();
    auto loop = os::EventLoop::create();
    if (!loop) return fail(loop.error());
    HookRun::Failure failure;
    const auto done = [&](const HookRun::Failure& told) {
        failure = told;
        loop->quit();
    };
    const HookRun run(*loop, hook, std::move(commands), timeout, done);
    if (auto ran = loop->run(); !ran) return fail(ran.error());
    return failure;
}

}  // namespace steward::supervise
