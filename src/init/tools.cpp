#include "init/tools.hpp"

#include <algorithm>

#include "os/file.hpp"

namespace steward::init {

std::vector<std::string> lines_of(const std::string& output)
{
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < output.size();) {
        const std::size_t end = std::min(output.find('\n', begin), output.size());
        if (end > begin) lines.push_back(output.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

std::string first_line(const std::string& output)
{
    return output.substr(0, output.find('\n'));
}

ErrorCode meaning_of_most(int)
{
    return ErrorCode::failed;
}

Result<void> do_with(const RunTool& run, const Argv& command, const char* operation, const std::string& name, Meaning meaning)
{
    auto end = run(command);
    if (!end) {
        Error error = end.error();
        error.operation = operation;
        error.object = name;
        error.cause = command.front() + ": " + error.cause;
        return fail(std::move(error));
    }
    if (end->succeeded()) return {};
    const bool told = end->exit.known && !end->exit.signalled;
    return fail(Error{.code = told ? meaning(end->exit.code) : ErrorCode::failed,
                      .operation = operation,
                      .object = name,
                      .cause = command.front() + " ended with " + to_string(end->exit),
                      .next_step = {},
                      .os_errno = 0,
                      .detail = lines_of(end->output)});
}

bool has_numbered_link(const std::string& directory, char kind, const std::string& name)
{
    const auto names = os::list_directory(directory);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return names && std::ranges::any_of(*names, [&](const std::string& link) {
               return link.size() > 3 && link[0] == kind && is_digit(link[1]) && is_digit(link[2]) && link.substr(3) == name;
           });
}

bool is_script(const std::string& path)
{
    const auto found = os::info_at(path, true);
    return found && *found && (*found)->kind == os::FileInfo::Kind::regular;
}

Result<bool> ScriptControl::runs(const std::string& name) const
{
    if (!is_script(script(name))) return false;
    auto end = ask(command("status", name));
    if (!end) return fail(end.error());
    return end->succeeded();
}

std::unique_ptr<Control> make_control(InitSystem system, Scope scope, RunTool run)
{
    if (system == InitSystem::systemd) return make_systemd_control(scope, std::move(run));
    if (scope == Scope::user) return nullptr;
    switch (system) {
        case InitSystem::sysv: return make_sysv_control(std::move(run));
        case InitSystem::openrc: return make_openrc_control(std::move(run));
        case InitSystem::runit: return make_runit_control(std::move(run));
        default: return nullptr;
    }
}

}  // namespace steward::init
