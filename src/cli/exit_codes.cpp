#include "cli/exit_codes.hpp"

namespace steward::cli {

int exit_code(VerbId verb, ErrorCode code)
{
    if (verb == VerbId::status) return exit_unknown_status;
    // A name that cannot be a unit's is a fault of the configuration.
    if ((verb == VerbId::generate || verb == VerbId::install) && code == ErrorCode::invalid_argument) return 6;
    switch (code) {
        case ErrorCode::failed:
        case ErrorCode::already_running:
        case ErrorCode::untrusted_pid_file:
        case ErrorCode::undeterminable:
        case ErrorCode::exited_early:
        case ErrorCode::timed_out:
        case ErrorCode::survivors:
        case ErrorCode::cancelled: return exit_failed;
        case ErrorCode::invalid_argument: return exit_usage;
        case ErrorCode::unsupported: return 3;
        case ErrorCode::not_permitted: return 4;
        case ErrorCode::unknown_service:
        case ErrorCode::program_missing: return 5;
        case ErrorCode::invalid_service_file: return 6;
        case ErrorCode::not_running: return 7;
    }
    return exit_failed;
}

std::string_view to_string(ErrorCode code)
{
    switch (code) {
        case ErrorCode::failed: return "failed";
        case ErrorCode::invalid_argument: return "invalid_argument";
        case ErrorCode::unsupported: return "unsupported";
        case ErrorCode::not_permitted: return "not_permitted";
        case ErrorCode::unknown_service: return "unknown_service";
        case ErrorCode::program_missing: return "program_missing";
        case ErrorCode::invalid_service_file: return "invalid_service_file";
        case ErrorCode::not_running: return "not_running";
        case ErrorCode::already_running: return "already_running";
        case ErrorCode::untrusted_pid_file: return "untrusted_pid_file";
        case ErrorCode::undeterminable: return "undeterminable";
        case ErrorCode::exited_early: return "exited_early";
        case ErrorCode::timed_out: return "timed_out";
        case ErrorCode::survivors: return "survivors";
        case ErrorCode::cancelled: return "cancelled";
    }
    return "failed";
}

}  // namespace steward::cli
