#include "os/proc_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace steward::os {

int read_kernel_file(int directory, const char* path, std::span<char> buffer, std::string_view* content) noexcept
{
    const int fd = ::openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    ssize_t length = 0;
    do {
        length = ::read(fd, buffer.data(), buffer.size());
    } while (length < 0 && errno == EINTR);
    const int error = length < 0 ? errno : 0;
    ::close(fd);
    if (error == 0) *content = std::string_view(buffer.data(), static_cast<std::size_t>(length));
    return error;
}

bool proc_is_ours() noexcept
{
    char text[16];
    const ssize_t length = ::readlink("/proc/self", text, sizeof text);
    if (length <= 0) return false;
    std::int32_t pid = 0;
    const auto [end, error] = std::from_chars(text, text + length, pid);
    return error == std::errc{} && end == text + length && pid == ::getpid();
}

Error no_proc_error(std::string operation, std::string object)
{
    return Error{.code = ErrorCode::undeterminable,
                 .operation = std::move(operation),
                 .object = std::move(object),
                 .cause = "/proc is not mounted, or belongs to another PID namespace",
                 .next_step = "mount -t proc proc /proc"};
}

std::string process_text(std::int32_t pid)
{
    return "process " + std::to_string(pid);
}

}  // namespace steward::os
