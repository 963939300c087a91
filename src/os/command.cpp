#include "os/command.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <vector>

#include "os/environment.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::os {

namespace {

constexpr std::array places = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"};
constexpr std::size_t most_output = 64 * 1024;

std::string search_path()
{
    std::string path;
    for (const char* place : places) path += (path.empty() ? "" : ":") + std::string(place);
    return path;
}

// What a tool that talks to a user's own init system must know; nothing else of the caller's has a part in what root runs.
std::vector<std::string> tool_environment()
{
    std::vector<std::string> variables{"PATH=" + search_path(), "LC_ALL=C.UTF-8"};
    for (const char* name : {"HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"}) {
        if (auto value = environment_variable(name)) variables.push_back(std::string(name) + "=" + *value);
    }
    return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings)
{
    std::vector<char*> pointers;
    for (std::string& text : strings) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// Signals and streams as a program expects them.
class Surroundings {
  public:
    explicit Surroundings(BorrowedFd output)
    {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions_, output.get(), STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions_, output.get(), STDERR_FILENO);
        posix_spawnattr_init(&attributes_);
        sigset_t all;
        sigset_t none;
        sigfillset(&all);
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }
    ~Surroundings()
    {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    Surroundings(const Surroundings&) = delete;
    Surroundings& operator=(const Surroundings&) = delete;

    [[nodiscard]] int spawn(std::int32_t& pid, const std::string& program, char* const* argv, char* const* environment) const
    {
        return posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv, environment);
    }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace

std::string find_tool(const std::string& name)
{
    if (name.find('/') != std::string::npos) return can_execute(name) ? name : std::string();
    for (const char* place : places) {
        std::string candidate = place + ("/" + name);
        if (can_execute(candidate)) return candidate;
    }
    return {};
}

Result<CommandEnd> run_command_with(const std::vector<std::string>& more, const Argv& command)
{
    const std::string name = command.empty() ? std::string() : command.front();
    const std::string program = find_tool(name);
    if (program.empty()) {
        Error error = errno_error("run", quoted(name), ENOENT);
        error.code = ErrorCode::program_missing;
        return fail(std::move(error));
    }
    // Not a pipe: a daemon that the tool leaves behind may keep it, and its end would never come.
    const UniqueFd output(memfd_create("output", MFD_CLOEXEC));
    if (!output) return fail(errno_error("run", quoted(program), errno));
    std::vector<std::string> words = command;
    std::vector<std::string> variables = tool_environment();
    variables.insert(variables.end(), more.begin(), more.end());
    std::int32_t pid = 0;
    const int error = Surroundings(output).spawn(pid, program, pointers_to(words).data(), pointers_to(variables).data());
    if (error != 0) return fail(errno_error("run", quoted(program), error));
    auto ended = reap_blocking(pid);
    if (!ended) return fail(ended.error());
    auto said = read_tail(output, most_output);
    if (!said) return fail(said.error());
    return CommandEnd{.exit = ended->status, .output = std::move(*said)};
}

Result<CommandEnd> run_command(const Argv& command)
{
    return run_command_with({}, command);
}

}  // namespace steward::os
