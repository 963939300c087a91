#include "supervise/reload.hpp"

#include "os/error.hpp"

namespace steward::supervise {

Result<void> check_reload(const ServiceSpec& spec)
{
    if (spec.reload.signal != 0 || !spec.reload.command.empty()) return {};
    return fail(Error{.code = ErrorCode::unsupported,
                      .operation = "reload",
                      .object = spec.name,
                      .cause = "its service file has no [reload] table",
                      .next_step = "steward restart " + spec.name});
}

Result<void> reload_by_signal(const ServiceSpec& spec, const os::ProcessRef& main)
{
    auto caught = os::catches_signal(main.pid(), spec.reload.signal);
    if (!caught) return fail(caught.error());
    if (!*caught) {
        return fail(Error{.code = ErrorCode::unsupported,
                          .operation = "reload",
                          .object = spec.name,
                          .cause = "process " + std::to_string(main.pid()) + " does not catch SIG" + signal_name(spec.reload.signal) +
                                   ", which would end it",
                          .next_step = "steward restart " + spec.name});
    }
    return main.signal(spec.reload.signal);
}

Error reload_command_error(const ServiceSpec& spec, const CommandRun::Outcome& outcome)
{
    const std::string end = outcome.timed_out ? "did not end within 90 s and was killed" : "ended with " + to_string(*outcome.exit);
    return Error{.code = outcome.timed_out ? ErrorCode::timed_out : ErrorCode::failed,
                 .operation = "reload",
                 .object = spec.name,
                 .cause = "its reload command " + os::quoted(spec.reload.command.front()) + " " + end};
}

}  // namespace steward::supervise
