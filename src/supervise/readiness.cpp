#include "supervise/readiness.hpp"

#include <algorithm>
#include <array>

#include "log/pattern.hpp"
#include "os/error.hpp"
#include "os/file.hpp"
#include "supervise/file_wait.hpp"
#include "supervise/probe.hpp"
#include "supervise/service_output.hpp"
#include "supervise/settle.hpp"

namespace steward::supervise {

namespace {

using Ready = std::function<void()>;

constexpr Duration first_pause = std::chrono::milliseconds(5);
constexpr Duration longest_pause = std::chrono::milliseconds(500);
constexpr Duration probe_limit = std::chrono::seconds(10);
// A file system stamps with a clock that may be a tick behind.
constexpr std::chrono::milliseconds clock_grain{20};

class SettledReady final : public ReadyWatch {
  public:
    SettledReady(const ReadyContext& context, Ready ready) : settle_(context.loop, context.main, std::move(ready)) {}

  private:
    SettleWatch settle_;
};

class DelayReady final : public ReadyWatch {
  public:
    DelayReady(const ReadyContext& context, Ready ready) : loop_(context.loop)
    {
        timer_ = loop_.at(context.launched + *context.rules.delay, std::move(ready));
    }
    ~DelayReady() override { loop_.cancel(timer_); }
    DelayReady(const DelayReady&) = delete;
    DelayReady& operator=(const DelayReady&) = delete;

  private:
    os::EventLoop& loop_;
    os::EventLoop::Id timer_ = 0;
};

class FileReady final : public ReadyWatch {
  public:
    FileReady(const ReadyContext& context, Ready ready)
        : path_(context.rules.file),
          since_(context.launched_at - clock_grain),
          ready_(std::move(ready)),
          wait_(context.loop, path_, [this] { look(); })
    {
    }
    [[nodiscard]] std::string complaint() const override { return os::quoted(path_) + " has not appeared"; }

  private:
    // One that was there before is the last run's.
    void look()
    {
        const auto found = os::info_at(path_, true);
        if (!found || !*found || (*found)->modified_ns < std::chrono::nanoseconds(since_.time_since_epoch()).count()) return;
        const Ready ready = ready_;
        ready();
    }

    std::string path_;
    std::chrono::system_clock::time_point since_;
    Ready ready_;
    FileWait wait_;
};

// Asks until the answer is yes.
class ProbedReady final : public ReadyWatch {
  public:
    ProbedReady(os::EventLoop& loop, ProbeTarget target, std::optional<process::LaunchPlan> command, Ready ready)
        : loop_(loop), target_(std::move(target)), command_(std::move(command)), ready_(std::move(ready))
    {
        if (command_) target_.command = &*command_;
        ask();
    }
    ~ProbedReady() override { loop_.cancel(timer_); }
    ProbedReady(const ProbedReady&) = delete;
    ProbedReady& operator=(const ProbedReady&) = delete;

    bool command_ended(std::int32_t pid, const ExitStatus& status) override
    {
        return probe_ != nullptr && probe_->command_ended(pid, status);
    }
    [[nodiscard]] std::string complaint() const override
    {
        const std::string what = target_.command == nullptr ? target_.address : os::quoted(command_->argv.front());
        return what + ": " + (failure_.empty() ? "no answer yet" : failure_);
    }

  private:
    void ask()
    {
        timer_ = 0;
        probe_ = Probe::start(loop_, target_, probe_limit, [this](const std::optional<std::string>& failure) { answered(failure); });
    }

    void answered(const std::optional<std::string>& failure)
    {
        if (!failure) {
            const Ready ready = ready_;
            return ready();
        }
        probe_.reset();
        failure_ = *failure;
        timer_ = loop_.after(pause_, [this] { ask(); });
        pause_ = std::min(pause_ * 3 / 2, longest_pause);
    }

    os::EventLoop& loop_;
    ProbeTarget target_;
    std::optional<process::LaunchPlan> command_;
    Ready ready_;
    std::unique_ptr<Probe> probe_;
    os::EventLoop::Id timer_ = 0;
    Duration pause_ = first_pause;
    std::string failure_;
};

// Who hears it calls nobody here.
class ToldReady final : public ReadyWatch {
  public:
    [[nodiscard]] std::string complaint() const override { return "it has not said READY=1 on its notify socket"; }
};

class LoggedReady final : public ReadyWatch {
  public:
    LoggedReady(const ReadyContext& context, log::Pattern pattern, Ready ready)
        : loop_(context.loop), output_(*context.output), rule_(context.rules.log), pattern_(std::move(pattern)), ready_(std::move(ready))
    {
        output_.watch_lines([this](std::string_view line) { look(line); });
    }
    ~LoggedReady() override
    {
        output_.watch_lines({});
        loop_.cancel(timer_);
    }
    LoggedReady(const LoggedReady&) = delete;
    LoggedReady& operator=(const LoggedReady&) = delete;

    [[nodiscard]] std::string complaint() const override { return "no line of its log matches " + os::quoted(rule_); }

  private:
    // Not from within the output's own call: who is told may end it.
    void look(std::string_view line)
    {
        if (timer_ != 0 || !pattern_.matches(line)) return;
        timer_ = loop_.after(Duration::zero(), [this] {
            const Ready ready = ready_;
            ready();
        });
    }

    os::EventLoop& loop_;
    ServiceOutput& output_;
    std::string rule_;
    log::Pattern pattern_;
    Ready ready_;
    os::EventLoop::Id timer_ = 0;
};

class MailboxReady final : public ReadyWatch {
  public:
    MailboxReady(const ReadyContext& context, Ready ready)
        : loop_(context.loop), mailbox_(context.mailbox), number_(context.rules.fd), ready_(std::move(ready))
    {
        if (auto watch = loop_.on_readable(mailbox_, [this] { look(); })) watch_ = *watch;
    }
    ~MailboxReady() override { loop_.cancel(watch_); }
    MailboxReady(const MailboxReady&) = delete;
    MailboxReady& operator=(const MailboxReady&) = delete;

    [[nodiscard]] std::string complaint() const override { return "no newline has come through descriptor " + std::to_string(number_); }

  private:
    void look()
    {
        std::array<std::byte, 4096> bytes{};
        const auto size = os::read_some(mailbox_, bytes);
        if (!size || std::find(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*size), std::byte{'\n'}) ==
                         bytes.begin() + static_cast<std::ptrdiff_t>(*size))
            return;
        const Ready ready = ready_;
        ready();
    }

    os::EventLoop& loop_;
    os::BorrowedFd mailbox_;
    int number_;
    Ready ready_;
    os::EventLoop::Id watch_ = 0;
};

}  // namespace

bool ReadyWatch::command_ended(std::int32_t, const ExitStatus&)
{
    return false;
}

std::string limit_text(Duration limit)
{
    const auto count = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
    return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

std::unique_ptr<ReadyWatch> watch_ready(ReadyContext context, Ready ready)
{
    const ServiceSpec::Ready& rules = context.rules;
    using Kind = ProbeTarget::Kind;
    const auto probed = [&](Kind kind, const std::string& address) {
        return std::make_unique<ProbedReady>(context.loop, ProbeTarget{.kind = kind, .address = address}, std::move(context.command),
                                             std::move(ready));
    };
    if (!rules.log.empty()) {
        // That it can be compiled was proven before the launch.
        auto pattern = log::Pattern::compile(rules.log);
        if (pattern && context.output != nullptr) return std::make_unique<LoggedReady>(context, std::move(*pattern), std::move(ready));
    }
    if (rules.notify) return std::make_unique<ToldReady>();
    if (rules.delay) return std::make_unique<DelayReady>(context, std::move(ready));
    if (!rules.file.empty()) return std::make_unique<FileReady>(context, std::move(ready));
    if (!rules.tcp.empty()) return probed(Kind::tcp, rules.tcp);
    if (!rules.unix_socket.empty()) return probed(Kind::unix_socket, rules.unix_socket);
    if (!rules.http.empty()) return probed(Kind::http, rules.http);
    if (!rules.command.empty()) return probed(Kind::command, {});
    if (rules.fd != 0) return std::make_unique<MailboxReady>(context, std::move(ready));
    return std::make_unique<SettledReady>(context, std::move(ready));
}

Result<LoneReadiness> wait_until_ready(const os::ProcessRef& main, const ServiceSpec::Ready& rules,
                                       std::optional<process::LaunchPlan> command, os::MonotonicClock::time_point launched,
                                       std::optional<Duration> limit)
{
    auto loop = os::EventLoop::create();
    if (!loop) return fail(loop.error());
    LoneReadiness found{.outcome = Readiness::ended, .complaint = {}};
    const auto leave = [&](Readiness outcome) {
        found.outcome = outcome;
        loop->quit();
    };
    auto exit = loop->on_exit(main, [&] { leave(Readiness::ended); });
    if (!exit) return fail(exit.error());
    if (limit) loop->at(launched + *limit, [&] { leave(Readiness::late); });
    const auto ago = std::chrono::duration_cast<std::chrono::system_clock::duration>(os::MonotonicClock::now() - launched);
    const auto watch = watch_ready({.loop = *loop,
                                    .rules = rules,
                                    .main = main.pid(),
                                    .launched = launched,
                                    .launched_at = std::chrono::system_clock::now() - ago,
                                    .command = std::move(command),
                                    .mailbox = {}},
                                   [&] { leave(Readiness::ready); });
    if (auto ran = loop->run(); !ran) return fail(ran.error());
    found.complaint = watch->complaint();
    if (found.outcome != Readiness::ready) return found;
    // What slept, or answered, may have been another.
    const auto liveness = main.liveness();
    if (!liveness) return fail(liveness.error());
    if (*liveness == os::Liveness::dead) found.outcome = Readiness::ended;
    return found;
}

}  // namespace steward::supervise
