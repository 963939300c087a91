#include "supervise/assignment.hpp"

namespace steward::supervise {

record::State initial_state(const Assignment& assignment)
{
    record::State state;
    state.state = ServiceState::starting;
    state.since = std::chrono::system_clock::now();
    state.boot = assignment.boot;
    state.supervise = assignment.spec.service.supervise;
    state.pid_file = assignment.pid_file;
    state.pid_file_owner = assignment.owner;
    state.log_file = assignment.output.kind == OutputTarget::Kind::file ? assignment.output.log_file : "";
    state.service_file = assignment.service_file;
    state.file_digest = assignment.file_digest;
    state.description = assignment.spec.service.description;
    state.command = assignment.plan.argv;
    return state;
}

}  // namespace steward::supervise
