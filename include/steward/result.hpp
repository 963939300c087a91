// What a fallible call returns: the value, or an Error that says what failed, on what, why, and what to do next.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace steward {

// What went wrong, as far as a caller can act on it. The command line turns these into LSB exit codes.
enum class ErrorCode {
    failed,                // the operation was tried and did not succeed; os_errno may say more
    invalid_argument,      // the caller asked for something that makes no sense
    unsupported,           // nothing in the service file says how to do it
    not_permitted,         // EACCES, EPERM
    unknown_service,       // neither a service file nor a record has this name
    program_missing,       // the service's program does not exist or cannot be executed
    invalid_service_file,  // see Error::diagnostics
    not_running,           // the operation needs a running service
    already_running,       // another instance holds the lease
    untrusted_pid_file,    // the PID file's content or place is not to be believed; nothing was signalled
    undeterminable,        // whether the service runs cannot be told (no /proc, a foreign PID namespace, …)
    exited_early,          // the program ran and ended before the service was up
    timed_out,             // the deadline passed first
    survivors,             // processes of the service are still there after SIGKILL
    cancelled,             // a stop overtook the start
};

// One fault of a service file, placed. Lines and columns count from 1; 0 means that the fault has no place.
struct Diagnostic {
    std::string file;
    unsigned line = 0;
    unsigned column = 0;
    std::string message;      // "unknown key 'comand' in [service]"
    std::string source_line;  // the offending line as it stands in the file, without its newline
    std::string suggestion;   // "command" where a near miss is known, else empty

    friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

// A failed operation. message() reads "cannot OPERATION OBJECT: CAUSE (try: NEXT_STEP)".
struct Error {
    ErrorCode code = ErrorCode::failed;
    std::string operation;                     // a verb in the infinitive: "stop", "open", "lock"
    std::string object;                        // what it was done to: "web", "'/run/web.pid'"
    std::string cause;                         // why not: "held by process 4121 (web)"
    std::string next_step;                     // a command or an action that helps; may be empty
    int os_errno = 0;                          // the errno behind it, 0 where there is none
    std::vector<std::string> detail = {};      // further lines for the reader: last output lines, surviving processes
    std::vector<Diagnostic> diagnostics = {};  // with invalid_service_file: all faults of the file

    [[nodiscard]] std::string message() const;
};

// The value or the Error. Must not be ignored.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  public:
    using Base = tl::expected<T, Error>;
    using Base::Base;
    Result(Base base) : Base(std::move(base)) {}
};

// Makes the failing side of any Result.
[[nodiscard]] inline tl::unexpected<Error> fail(Error error)
{
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace steward
