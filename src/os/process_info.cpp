// What can be asked about processes and the boot without holding one: memory, signals, clocks, the caller's own identity.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "os/error.hpp"
#include "os/pidfd.hpp"
#include "os/proc_file.hpp"
#include "os/proc_stat.hpp"
#include "os/process.hpp"

namespace steward::os {
namespace {

using namespace std::chrono;

// A file of /proc/PID that is no longer than `size`; empty where it cannot be read.
template <std::size_t size>
int read_proc(std::int32_t pid, const char* file, std::array<char, size>& buffer, std::string_view* content)
{
    std::array<char, 48> path;
    std::snprintf(path.data(), path.size(), "/proc/%d/%s", pid, file);
    return read_kernel_file(AT_FDCWD, path.data(), buffer, content);
}

// The number after `label` and blanks in text made of lines.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view label, int base = 10)
{
    const std::size_t at = text.find(label);
    if (at == std::string_view::npos || (at > 0 && text[at - 1] != '\n')) return std::nullopt;
    const std::size_t digits = text.find_first_not_of(" \t", at + label.size());
    if (digits == std::string_view::npos) return std::nullopt;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data() + digits, text.data() + text.size(), number, base);
    return error == std::errc{} ? std::optional(number) : std::nullopt;
}

std::uint64_t ticks_per_second()
{
    const long ticks = ::sysconf(_SC_CLK_TCK);
    return ticks > 0 ? static_cast<std::uint64_t>(ticks) : 100;
}

}  // namespace

Result<BootIdentity> boot_identity()
{
    std::array<char, 64> buffer;
    std::string_view text;
    struct stat name_space = {};
    if (read_kernel_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", buffer, &text) != 0 || text.size() < 36 || !proc_is_ours() ||
        ::stat("/proc/self/ns/pid", &name_space) != 0) {
        return fail(no_proc_error("identify", "this boot"));
    }
    return BootIdentity{.boot_id = std::string(text.substr(0, 36)), .pid_namespace = name_space.st_ino};
}

ProcessIdentity self_identity()
{
    ProcessIdentity identity{.pid = ::getpid(), .start_time = read_own_start_time(), .pidfs_inode = 0};
    const int fd = pidfd::open(identity.pid);
    if (fd >= 0) {
        identity.pidfs_inode = pidfd::inode(fd);
        ::close(fd);
    }
    return identity;
}

std::int32_t self_pid()
{
    return ::getpid();
}

std::int32_t parent_pid()
{
    return ::getppid();
}

std::uint32_t effective_uid()
{
    return ::geteuid();
}

std::uint32_t effective_gid()
{
    return ::getegid();
}

std::optional<std::uint64_t> resident_memory(std::int32_t pid)
{
    std::array<char, 256> buffer;
    std::string_view text;
    if (read_proc(pid, "statm", buffer, &text) != 0) return std::nullopt;
    const std::size_t blank = text.find(' ');
    std::uint64_t pages = 0;
    if (blank == std::string_view::npos) return std::nullopt;
    if (std::from_chars(text.data() + blank + 1, text.data() + text.size(), pages).ec != std::errc{}) return std::nullopt;
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

microseconds ticks_to_duration(std::uint64_t ticks)
{
    return microseconds(ticks * (1'000'000 / ticks_per_second()));
}

Result<bool> catches_signal(std::int32_t pid, int signal)
{
    if (signal < 1 || signal > 64) {
        return fail(Error{.code = ErrorCode::invalid_argument,
                          .operation = "look at",
                          .object = "signal " + std::to_string(signal),
                          .cause = "no such signal"});
    }
    std::array<char, 4096> buffer;
    std::string_view text;
    const int error = read_proc(pid, "status", buffer, &text);
    if (error == ENOENT || error == ESRCH) {
        if (!proc_is_ours()) return fail(no_proc_error("look at the signals of", process_text(pid)));
        return fail(Error{.code = ErrorCode::not_running,
                          .operation = "look at the signals of",
                          .object = process_text(pid),
                          .cause = "there is no such process",
                          .os_errno = ESRCH});
    }
    if (error != 0) return fail(errno_error("look at the signals of", process_text(pid), error));
    const auto caught = number_after(text, "SigCgt:", 16);
    if (!caught) {
        return fail(Error{.code = ErrorCode::undeterminable,
                          .operation = "look at the signals of",
                          .object = process_text(pid),
                          .cause = "/proc does not tell them"});
    }
    return ((*caught >> (signal - 1)) & 1U) != 0;
}

std::optional<system_clock::time_point> start_time_to_clock(std::uint64_t start_time)
{
    timespec since_boot{};
    if (::clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) return std::nullopt;
    const auto uptime = seconds(since_boot.tv_sec) + nanoseconds(since_boot.tv_nsec);
    const auto age = duration_cast<microseconds>(uptime) - ticks_to_duration(start_time);
    return system_clock::now() - duration_cast<system_clock::duration>(age);
}

Result<void> become_subreaper()
{
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return fail(errno_error("become", "a child subreaper", errno));
    return {};
}

void set_process_name(const char* name)
{
    ::prctl(PR_SET_NAME, name, 0, 0, 0);
}

}  // namespace steward::os
