#include "supervise/supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "os/message_socket.hpp"
#include "os/notify.hpp"

namespace steward::supervise {

namespace {

constexpr std::chrono::seconds last_words{2};

}  // namespace

Result<std::unique_ptr<Supervisor>> Supervisor::create(const std::vector<Assignment*>& assignments, Options options)
{
    auto loop = os::EventLoop::create();
    if (!loop) return fail(loop.error());
    std::unique_ptr<Supervisor> supervisor(new Supervisor(std::move(*loop), std::move(options)));
    // Below a keeper too: what has lost its parents stays with whoever outlives the other.
    if (auto made = os::become_subreaper(); !made) return fail(made.error());
    const auto self = os::self_identity();
    // Alone with one service, everything below the subreaper is that service's.
    const bool alone = assignments.size() == 1;
    const std::int32_t root = supervisor->options_.foreground ? self.pid : supervisor->options_.keeper.pid;
    Supervisor* raw = supervisor.get();
    supervisor->host_ = std::make_unique<RunnerHost>(RunnerHost{.loop = raw->loop_,
                                                                .events = *raw->options_.events,
                                                                .keeper = raw->options_.keeper,
                                                                .supervisor = self,
                                                                .tree_root = alone ? root : 0,
                                                                .strangers = std::move(raw->options_.strangers),
                                                                .collect = [raw] { raw->reap(), raw->read_exit_notices(); },
                                                                .one_over = [raw](std::size_t place) { raw->one_over(place); }});
    if (alone && supervisor->options_.foreground) supervisor->host_->strangers = processes_below(self.pid);
    const bool ordered = !supervisor->options_.order.empty();
    if (!ordered) supervisor->options_.order.resize(assignments.size());
    supervisor->starts_ = Turns(supervisor->options_.order);
    if (ordered || !supervisor->options_.notify_socket.empty()) {
        supervisor->host_->state_changed = [raw](std::size_t place) {
            raw->pass_on_state(place);
            // Not from within the runner: what follows may end it.
            raw->loop_.after(Duration(0), [raw, place] { raw->look_whose_turn_it_is(place); });
        };
    }
    supervisor->open_terminal(assignments);
    supervisor->assignments_ = assignments;
    for (Assignment* assignment : assignments) {
        supervisor->runners_.push_back(std::make_unique<ServiceRunner>(*supervisor->host_, *assignment, supervisor->runners_.size()));
    }
    supervisor->as_pid_1_ = root == 1;
    if (auto watched = supervisor->watch_everything(); !watched) return fail(watched.error());
    return supervisor;
}

Supervisor::Supervisor(os::EventLoop loop, Options options) : loop_(std::move(loop)), options_(std::move(options)), starts_({}) {}

Supervisor::~Supervisor() = default;

// A terminal that this process may not open anew (another user's, after su) is left to the programs.
void Supervisor::open_terminal(const std::vector<Assignment*>& assignments)
{
    if (assignments.size() < 2 || !options_.labels.any()) return;
    std::size_t width = 0;
    for (const Assignment* assignment : assignments) {
        if (assignment->output.kind == OutputTarget::Kind::inherit) width = std::max(width, assignment->spec.name.size());
    }
    auto terminal = LabelledTerminal::open(loop_, options_.labels, width);
    if (!terminal) return;
    terminal_ = std::move(*terminal);
    host_->terminal = terminal_.get();
}

Result<void> Supervisor::watch_everything()
{
    auto signals = loop_.on_signals({SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH},
                                    [this](int signal, std::int32_t) { on_signal(signal); });
    if (!signals) return signals;
    if (auto accepting = accept_clients(); !accepting) return accepting;
    if (options_.exit_notices) {
        auto watch = loop_.on_readable(options_.exit_notices, [this] { read_exit_notices(); });
        if (!watch) return fail(watch.error());
        notices_watch_ = *watch;
    }
    return {};
}

Result<Supervisor::Outcome> Supervisor::run()
{
    take_over();
    begin(starts_.first());
    if (over_ < runners_.size() && !keeper_lost_) {
        if (auto ran = loop_.run(); !ran) return fail(ran.error());
    }
    if (terminal_) terminal_->drain(last_words);
    if (keeper_lost_) return Outcome::keeper_lost;
    if (making_way_) return Outcome::making_way;
    SupervisorWord word{.kind = SupervisorWord::Kind::over};
    const auto exit = runners_.front()->own_end();
    if (runners_.size() == 1 && exit) {
        word.known = exit->known ? 1 : 0;
        word.signalled = exit->signalled ? 1 : 0;
        word.value = exit->code;
    }
    tell_keeper(word);
    return Outcome::all_over;
}

void Supervisor::tell_keeper(const SupervisorWord& word) const
{
    if (options_.exit_notices) static_cast<void>(os::send_message_now(options_.exit_notices, std::as_bytes(std::span(&word, 1))));
}

ServiceRunner::Answer Supervisor::first_start_report()
{
    if (!options_.start_report) return {};
    return [this](const Reply& reply) {
        static_cast<void>(os::send_message(options_.start_report, encode(reply)));
        options_.start_report.reset();
    };
}

void Supervisor::on_signal(int signal)
{
    switch (signal) {
        case SIGCHLD: return reap();
        case SIGTERM: return stop_all();
        case SIGINT:
        case SIGQUIT:
            // At a terminal a second Ctrl-C means now.
            hurried_ = stops_.has_value();
            for (const auto& runner : runners_) {
                if (hurried_) runner->hurry();
            }
            return stop_all();
        case SIGHUP:
            for (const auto& runner : runners_) runner->hang_up();
            return;
        default:
            if (!as_pid_1_) return;
            for (const auto& runner : runners_) runner->pass_on(signal);
    }
}

// steward is ready when all its services have been, or have done what they had to do.
void Supervisor::pass_on_state(std::size_t place)
{
    if (options_.notify_socket.empty()) return;
    const bool ready = !ready_told_ && std::ranges::all_of(runners_, [](const auto& r) { return r->up() || r->ended_well(); });
    ready_told_ = ready_told_ || ready;
    notify((ready ? "READY=1\nSTATUS=" : "STATUS=") + runners_[place]->state_text());
}

void Supervisor::notify(const std::string& message)
{
    if (options_.notify_socket.empty()) return;
    if (auto sent = os::send_notification(options_.notify_socket, message); !sent) {
        options_.events->warning("steward", sent.error().message());
        // Who does not listen is not waited for again and again.
        options_.notify_socket.clear();
    }
}

// What has not begun is over at once; the rest ends in reverse order.
void Supervisor::stop_all()
{
    if (stops_) return;
    notify("STOPPING=1");
    stops_ = Turns(Turns::reversed(options_.order));
    stop(stops_->first());
}

void Supervisor::stop(const std::vector<Turns::Turn>& turns)
{
    for (const auto& turn : turns) {
        ServiceRunner& runner = *runners_[turn.place];
        if (runner.over()) {
            stop(stops_->done(turn.place, true));
            continue;
        }
        runner.stop({});
        if (hurried_) runner.hurry();
    }
}

void Supervisor::begin(const std::vector<Turns::Turn>& turns)
{
    for (const auto& turn : turns) {
        ServiceRunner& runner = *runners_[turn.place];
        if (runner.over() || runner.stop_requested() || stops_) continue;
        if (runner.begun()) continue;
        if (turn.refused) {
            runner.refuse("it requires '" + runners_[turn.lacking]->name() + "', which is not up");
        } else {
            begin(turn.place);
        }
    }
}

void Supervisor::begin(std::size_t place)
{
    runners_[place]->begin(first_start_report());
    // What it has taken over may be up already.
    if (host_->state_changed) host_->state_changed(place);
}

// What the last supervisor had begun is carried on at once, whoever's turn it is.
void Supervisor::take_over()
{
    for (std::size_t place = 0; place < runners_.size(); ++place) {
        if (runners_[place]->was_begun_before()) begin(place);
    }
}

void Supervisor::look_whose_turn_it_is(std::size_t place)
{
    const ServiceRunner& runner = *runners_[place];
    if (runner.up() || runner.over()) begin(starts_.done(place, runner.up() || runner.ended_well()));
    if (stops_ && runner.over()) stop(stops_->done(place, true));
}

void Supervisor::reap()
{
    for (;;) {
        auto reaped = os::reap_any();
        if (!reaped || !*reaped) return;
        if (check_ != nullptr && check_->pid() == (*reaped)->pid) {
            check_->ended((*reaped)->status);
            continue;
        }
        child_ended((*reaped)->pid, (*reaped)->status);
    }
}

void Supervisor::child_ended(std::int32_t pid, const ExitStatus& status)
{
    const auto known = host_->places.extract(pid);
    if (!known.empty() && runners_[known.mapped()]->child_ended(pid, status)) return;
    for (const auto& runner : runners_) {
        if (runner->child_ended(pid, status)) return;
    }
}

void Supervisor::read_exit_notices()
{
    while (options_.exit_notices) {
        // Looked at first and taken when it has been acted upon: killed in between, the next supervisor finds it again.
        auto peeked = os::receive_now(options_.exit_notices, sizeof(ExitNotice), true);
        if (!peeked) return;
        if (peeked->closed) {
            loop_.cancel(notices_watch_);
            options_.exit_notices = os::BorrowedFd();
            keeper_lost_ = true;
            return loop_.quit();
        }
        if (!peeked->message) return;
        ExitNotice notice;
        if (peeked->message->size() == sizeof notice) {
            std::memcpy(&notice, peeked->message->data(), sizeof notice);
            const ExitStatus status{.signalled = notice.signalled != 0,
                                    .code = notice.code,
                                    .known = true,
                                    .core_dumped = notice.core_dumped != 0,
                                    .at = std::chrono::system_clock::now()};
            child_ended(notice.pid, status);
        }
        static_cast<void>(os::receive_now(options_.exit_notices, sizeof(ExitNotice), false));
    }
}

void Supervisor::one_over(std::size_t place)
{
    if (++over_ == runners_.size()) return loop_.quit();
    // The others go on; this one may be started anew, by whomever.
    loop_.cancel(std::exchange(control_watches_[place], 0));
    release(place);
}

// The keeper has lease and control socket too, and hears of it when a signal comes: any will do.
void Supervisor::release(std::size_t place)
{
    if (!runners_[place]->release()) return;
    if (options_.foreground) return;
    tell_keeper({.kind = SupervisorWord::Kind::released, .value = static_cast<std::int32_t>(place)});
    const auto keeper = os::ProcessRef::open(options_.keeper);
    if (keeper && *keeper) static_cast<void>((*keeper)->signal(SIGCHLD));
}

}  // namespace steward::supervise
