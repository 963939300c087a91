#include "supervise/forked_main.hpp"

#include "os/error.hpp"
#include "record/pid_file.hpp"

namespace steward::supervise {

ForkedMain::ForkedMain(os::EventLoop& loop, Search search, Done done)
    : loop_(loop),
      search_(std::move(search)),
      done_(std::move(done)),
      complaint_("it has not written its PID file " + os::quoted(search_.pid_file)),
      wait_(loop, search_.pid_file, [this] { look(); })
{
}

ForkedMain::~ForkedMain()
{
    loop_.cancel(again_);
}

void ForkedMain::look_again()
{
    loop_.cancel(again_);
    again_ = loop_.after(Duration::zero(), [this] {
        again_ = 0;
        look();
    });
}

void ForkedMain::look()
{
    auto found = judge();
    if (found && !*found && search_.anybody_left()) return;
    const Done done = std::move(done_);
    if (!found) return done(fail(found.error()));
    if (!*found) return done(fail(Error{.operation = "start", .object = {}, .cause = "nothing of it is left, and " + complaint_}));
    done(std::move(**found));
}

// Unset: not yet.
Result<std::optional<os::ProcessRef>> ForkedMain::judge()
{
    using Verdict = record::PidFileReading::Verdict;
    const auto reading = record::read_pid_file_now(search_.pid_file, search_.owner);
    const std::string file = "its PID file " + os::quoted(search_.pid_file);
    if (reading.verdict == Verdict::refused) {
        return fail(Error{.code = ErrorCode::untrusted_pid_file, .operation = "start", .object = {}, .cause = file + " " + reading.reason});
    }
    if (reading.verdict == Verdict::unreadable) complaint_ = file + " cannot be read: " + reading.reason;
    if (reading.verdict == Verdict::empty) complaint_ = file + " is empty";
    if (reading.verdict == Verdict::too_large) complaint_ = file + " holds a number that no process can have";
    if (reading.verdict != Verdict::pid) return std::nullopt;
    auto process = os::ProcessRef::open_pid(reading.pid);
    const auto liveness = process && *process ? (*process)->liveness() : Result<os::Liveness>(os::Liveness::dead);
    const bool alive = liveness && *liveness == os::Liveness::alive;
    // Held first, then judged: what is judged is what is held.
    if (alive && search_.is_member(reading.pid)) return std::move(*process);
    complaint_ = file + " names process " + std::to_string(reading.pid) + (alive ? ", which is not the service's" : ", which does not run");
    return std::nullopt;
}

bool descends_from(std::int32_t pid, std::int32_t root)
{
    constexpr int deepest = 1000;
    for (int depth = 0; pid > 1 && depth < deepest; ++depth) {
        if (pid == root) return true;
        const auto stat = os::read_stat(pid);
        if (!stat || !*stat) return false;
        pid = (*stat)->parent;
    }
    return pid == root;
}

}  // namespace steward::supervise
