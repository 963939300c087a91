// The words for signals, states and exits, the same in every message, table and JSON document.
#include <array>
#include <charconv>
#include <csignal>
#include <cstring>

#include <steward/manager.hpp>

namespace steward {

std::string_view to_string(ServiceState state)
{
    switch (state) {
        case ServiceState::stopped: return "stopped";
        case ServiceState::starting: return "starting";
        case ServiceState::running: return "running";
        case ServiceState::reloading: return "reloading";
        case ServiceState::stopping: return "stopping";
        case ServiceState::backing_off: return "backing-off";
        case ServiceState::failed: return "failed";
        case ServiceState::finished: return "finished";
        case ServiceState::dead: return "dead";
        case ServiceState::unknown: return "unknown";
    }
    return "unknown";
}

std::string signal_name(int signal)
{
    if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
        const int above = signal - SIGRTMIN;
        return above == 0 ? "RTMIN" : "RTMIN+" + std::to_string(above);
    }
    const char* name = sigabbrev_np(signal);
    return name != nullptr ? name : std::to_string(signal);
}

std::optional<int> parse_signal(std::string_view text)
{
    if (text.starts_with("SIG")) text.remove_prefix(3);
    int number = 0;
    const auto number_of = [&](std::string_view digits) {
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        return error == std::errc{} && end == digits.data() + digits.size() && !digits.empty();
    };
    if (number_of(text)) return number >= 1 && number <= SIGRTMAX ? std::optional(number) : std::nullopt;
    if (text == "RTMIN") return SIGRTMIN;
    if (text == "RTMAX") return SIGRTMAX;
    if (text.starts_with("RTMIN+") && number_of(text.substr(6)) && number >= 0 && SIGRTMIN + number <= SIGRTMAX) return SIGRTMIN + number;
    if (text.starts_with("RTMAX-") && number_of(text.substr(6)) && number >= 0 && SIGRTMAX - number >= SIGRTMIN) return SIGRTMAX - number;
    for (int signal = 1; signal < SIGRTMIN; ++signal) {
        const char* name = sigabbrev_np(signal);
        if (name != nullptr && text == name) return signal;
    }
    return std::nullopt;
}

std::string to_string(const ExitStatus& status)
{
    if (!status.known) return "exit code unknown";
    if (status.signalled) {
        return "signal " + std::to_string(status.code) + " (" + signal_name(status.code) + (status.core_dumped ? ", core dumped)" : ")");
    }
    return "exit code " + std::to_string(status.code);
}

}  // namespace steward
