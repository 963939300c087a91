#include "init/policy.hpp"

#include "init/host.hpp"
#include "init/tools.hpp"
#include "os/environment.hpp"

namespace steward::init {

namespace {

constexpr const char* usual_policy = "/usr/sbin/policy-rc.d";

// What policy-rc.d may answer; Debian's /usr/share/doc/init-system-helpers/README.policy-rc.d.gz.
constexpr int allowed = 0;
constexpr int unknown_action = 1;
constexpr int denied = 101;
constexpr int allowed_surely = 104;
constexpr int uncertain = 105;
constexpr int something_else = 106;

// Whether a line of actions, "stop start", has this one.
bool has_word(const std::string& line, const std::string& word)
{
    return (" " + line + " ").find(" " + word + " ") != std::string::npos;
}

}  // namespace

std::optional<std::string> objection_to(const std::string& action, const std::string& service, const std::string& policy, bool booted,
                                        const RunTool& run)
{
    const auto end = run({policy, service, action});
    if (!end && end.error().code == ErrorCode::program_missing) {
        if (booted || action == "stop") return std::nullopt;
        return "no init system runs here, and there is no policy-rc.d that allows it";
    }
    if (!end) return "policy-rc.d cannot be asked: " + end.error().cause;
    const int code = end->exit.known && !end->exit.signalled ? end->exit.code : -1;
    switch (code) {
        case allowed:
        case unknown_action:
        case allowed_surely:
        case uncertain: return std::nullopt;
        case denied: return "policy-rc.d denies it";
        case something_else:
            if (has_word(first_line(end->output), action)) return std::nullopt;
            return "policy-rc.d would have \"" + first_line(end->output) + "\" instead";
        default: break;
    }
    return "policy-rc.d failed" + (code < 0 ? std::string() : ", exit code " + std::to_string(code));
}

}  // namespace steward::init

namespace steward {

bool in_maintainer_script()
{
    return os::environment_variable("DPKG_MAINTSCRIPT_PACKAGE").has_value();
}

std::optional<std::string> objection_to(const std::string& action, const std::string& service)
{
    if (!in_maintainer_script()) return std::nullopt;
    return init::objection_to(action, service, init::usual_policy, init::booted_init_system().has_value(), os::run_command);
}

}  // namespace steward
