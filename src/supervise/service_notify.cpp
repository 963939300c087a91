// ServiceRunner: what the service says of itself by sd_notify(3). Whoever can reach the socket can write to it: heard is who the kernel says
// is one of the service's processes, and obeyed what could be true.
#include <algorithm>

#include "os/notify.hpp"
#include "supervise/notification.hpp"
#include "supervise/service_runner.hpp"

namespace steward::supervise {

namespace {

// Then others have their turn.
constexpr unsigned most_at_once = 32;
constexpr unsigned most_stale = 1000;
constexpr std::chrono::seconds trouble_pause{1};

}  // namespace

void ServiceRunner::listen()
{
    if (!assignment_.notify) return;
    auto watch = host_.loop.on_readable(assignment_.notify, [this] { hear(); });
    if (watch) {
        notify_watch_ = *watch;
        return;
    }
    tell_trouble(watch.error());
    tell_later(notify_watch_, trouble_pause, &ServiceRunner::listen);
}

// A message is taken when it has been acted upon: killed in between, the next supervisor finds it again.
void ServiceRunner::hear()
{
    for (unsigned count = 0; count < most_at_once && assignment_.notify; ++count) {
        const auto message = os::receive_notification(assignment_.notify, os::Take::look);
        if (!message) {
            tell_trouble(message.error());
            return tell_later(notify_watch_, trouble_pause, &ServiceRunner::listen);
        }
        if (!*message) return;
        heed(**message);
        if (assignment_.notify) static_cast<void>(os::receive_notification(assignment_.notify, os::Take::take));
    }
}

// What the last run has left unheard says nothing of the next one.
void ServiceRunner::forget_words()
{
    for (unsigned count = 0; count < most_stale && assignment_.notify; ++count) {
        const auto message = os::receive_notification(assignment_.notify, os::Take::take);
        if (!message || !*message) break;
    }
    if (ignored_ > 1) host_.events.warning(name(), std::to_string(ignored_) + " messages on its notify socket were not obeyed");
    ignored_ = 0;
    state_.said_ready = false;
    state_.said_stopping = false;
    state_.said_errno = 0;
    state_.status_text.clear();
    state_.extended_until.reset();
    state_.watchdog_interval = 0;
    state_.health = record::State::Health::unknown;
    state_.health_failures = 0;
}

// What it said before it ended is heard first: the error that it died of, or who takes its place.
void ServiceRunner::main_gone(const ExitStatus& status)
{
    const std::int32_t pid = main_running_ ? main_->pid() : 0;
    hear();
    const bool handed_over = pid != 0 && main_running_ && main_->pid() != pid;
    if (!handed_over) main_ended(status);
}

void ServiceRunner::heed(const os::Notification& message)
{
    // It may have ended since it said that, and been reaped a moment ago: then no list names it any more.
    const bool is_main = main_running_ && message.sender == main_->pid();
    if (!is_main && !is_member(membership(), message.sender)) return ignore(message, "the sender is not the service's");
    if (!message.whole) return ignore(message, "it is longer than " + std::to_string(os::notification_limit) + " bytes");
    const auto said = read_notification(message.text);
    if (!said) return ignore(message, said.error());
    if (said->main_pid != 0 && !follow(said->main_pid)) {
        return ignore(message, "the main process it names, " + std::to_string(said->main_pid) + ", is not the service's");
    }
    obey(*said);
}

// Told once: a service that talks nonsense all the time does not fill the log with it.
void ServiceRunner::ignore(const os::Notification& message, const std::string& why)
{
    if (++ignored_ > 1) return;
    host_.events.warning(name(),
                         "a message on its notify socket, of process " + std::to_string(message.sender) + ", is not obeyed: " + why);
}

void ServiceRunner::obey(const Said& said)
{
    const bool stays_quiet = !said.status && said.os_errno == 0 && !said.extend_timeout && !said.watchdog_interval;
    if (said.status) state_.status_text = *said.status;
    if (said.os_errno != 0) state_.said_errno = said.os_errno;
    if (said.watchdog_interval) state_.watchdog_interval = said.watchdog_interval->count();
    if (said.extend_timeout) state_.extended_until = std::chrono::system_clock::now() + *said.extend_timeout;
    if (!stays_quiet) static_cast<void>(write_state());
    if (said.extend_timeout && start_limit_ != 0) limit_start();
    if (said.extend_timeout && stopping_limit_ != 0) await_own_end();
    if (said.stores_descriptors && !descriptors_refused_) {
        descriptors_refused_ = true;
        host_.events.warning(name(), "it wants descriptors to be kept for it (FDSTORE), which steward does not do");
    }
    if (health_ != nullptr && said.watchdog_interval) health_->set_interval(*said.watchdog_interval);
    if (health_ != nullptr && said.alive) health_->said_alive();
    if (said.stopping) said_stopping();
    if (said.reloading && state_.state == ServiceState::running) set_state(ServiceState::reloading);
    if (said.ready) said_ready();
    if (health_ != nullptr && said.failing) health_->said_failing();
}

void ServiceRunner::said_ready()
{
    if (state_.state == ServiceState::reloading && reload_ == nullptr) return set_state(ServiceState::running);
    // A hook before it does not speak for it.
    const bool launched = main_running_ || forking_;
    if (!launched || state_.state != ServiceState::starting || !assignment_.spec.ready.notify) return;
    state_.said_ready = true;
    static_cast<void>(write_state());
    // A program that forks may say so before its main process is known.
    if (ready_ != nullptr) became_ready();
}

// It ends by itself, in the time that a stop may take; what follows is as after any end by itself.
void ServiceRunner::said_stopping()
{
    const bool lives = up() || state_.state == ServiceState::starting;
    if (!lives || stop_ != nullptr || !main_running_) return;
    stop_waiting();
    state_.said_stopping = true;
    set_state(ServiceState::stopping);
    await_own_end();
}

void ServiceRunner::await_own_end()
{
    host_.loop.cancel(stopping_limit_);
    const auto now = std::chrono::system_clock::now();
    const auto extended = std::chrono::duration_cast<Duration>(state_.extended_until.value_or(now) - now);
    stopping_limit_ = host_.loop.after(std::max(assignment_.spec.stop.timeout, extended), [this] {
        stopping_limit_ = 0;
        end_by_fault(record::State::Fault::stuck, "it said that it was stopping, and did not end in time");
    });
}

// Another process of the service is its main process from now on.
bool ServiceRunner::follow(std::int32_t pid)
{
    if (main_running_ && main_->pid() == pid) return true;
    // While it is being ended, and as long as a PID file has the word, nothing changes hands.
    if (!main_running_ || stop_ != nullptr || forking_) return false;
    auto process = os::ProcessRef::open_pid(pid);
    const auto liveness = process && *process ? (*process)->liveness() : Result<os::Liveness>(os::Liveness::dead);
    // Held first, then judged: what is judged is what is held.
    if (!liveness || *liveness != os::Liveness::alive || !is_member(membership(), pid)) return false;
    host_.loop.cancel(std::exchange(main_watch_, 0));
    main_ = std::move(**process);
    take_as_main();
    if (!is(ServiceType::forking)) static_cast<void>(write_pid_file());
    host_.events.info(name(), "its main process is PID " + std::to_string(pid) + " now");
    return true;
}

}  // namespace steward::supervise
