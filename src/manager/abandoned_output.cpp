#include "manager/abandoned_output.hpp"

#include "manager/preparation.hpp"

namespace steward::manager {

AbandonedOutput::AbandonedOutput(os::EventLoop& loop, const Located& located, const ServiceSpec& spec, const Judgement& judgement)
    : events_(log::EventLog::Sink::file_and_syslog, located.paths.event_log())
{
    if (!judgement.state || !judgement.state->supervise) return;
    auto directory = record::ServiceDirectory::open(located.paths.runtime, located.name);
    if (!directory || !*directory) return;
    assignment_.spec = spec;
    assignment_.spec.log.compress = LogCompression::none;  // the next supervisor's work
    assignment_.output = {.kind = supervise::OutputTarget::Kind::file,
                          .log_file = judgement.state->log_file,
                          .stderr_file = spec.log.stderr_file == judgement.state->log_file ? "" : spec.log.stderr_file,
                          .system_scope = located.paths.scope == Scope::system};
    send_output(assignment_.output, spec, located.paths);
    if (!assignment_.output.is_sent() && judgement.state->log_file.empty()) return;
    assignment_.directory = std::move(**directory);
    if (!supervise::find_fifos(assignment_)) return;
    output_.emplace(loop, events_, assignment_);
    if (auto opened = output_->carry_on(); !opened) events_.error(located.name, opened.error().message());
}

void AbandonedOutput::drain()
{
    if (!output_) return;
    output_->drain();
    output_->hang_up();
}

}  // namespace steward::manager
