#include "os/own_program.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string_view>

#include "os/error.hpp"

namespace steward::os {

Result<std::string> own_program()
{
    constexpr std::string_view replaced = " (deleted)";  // proc(5)
    std::array<char, PATH_MAX + replaced.size()> path{};
    const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
    if (length < 0) return fail(errno_error("find", "this program's file", errno));
    std::string_view text(path.data(), static_cast<std::size_t>(length));
    if (text.ends_with(replaced)) text.remove_suffix(replaced.size());
    return std::string(text);
}

int become(const char* program, char* const* argv, std::span<const int> keep) noexcept
{
    for (const int fd : keep) ::fcntl(fd, F_SETFD, 0);
    ::execve(program, argv, environ);
    const int error = errno;
    for (const int fd : keep) close_on_exec(fd);
    return error;
}

void close_on_exec(int fd) noexcept
{
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace steward::os
