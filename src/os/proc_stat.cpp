#include "os/proc_stat.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>

#include "os/error.hpp"
#include "os/proc_file.hpp"
#include "os/process.hpp"

namespace steward::os {
namespace {

// 52 numbers of at most 20 digits and a name: what /proc/PID/stat can grow to.
using StatBuffer = std::array<char, 2048>;

// proc_pid_stat(5) counts from 1; the numbers after the state begin with field 4, and field 22 is the last of interest.
constexpr std::size_t first_number = 4;
using StatNumbers = std::array<std::int64_t, 22 - first_number + 1>;

constexpr std::size_t field(std::size_t number)
{
    return number - first_number;
}

bool scan_numbers(std::string_view text, StatNumbers& numbers) noexcept
{
    const char* at = text.data();
    const char* const end = at + text.size();
    for (std::int64_t& number : numbers) {
        if (at == end || *at != ' ') return false;
        const auto [after, error] = std::from_chars(at + 1, end, number);
        if (error != std::errc{}) return false;
        at = after;
    }
    return true;
}

std::optional<ProcessStat> to_process_stat(std::string_view line)
{
    StatFields fields;
    if (!scan_stat(line, fields)) return std::nullopt;
    return ProcessStat{.pid = fields.pid,
                       .command = std::string(fields.command),
                       .state = fields.state,
                       .parent = fields.parent,
                       .group = fields.group,
                       .session = fields.session,
                       .cpu_ticks = fields.cpu_ticks,
                       .tasks = fields.tasks,
                       .start_time = fields.start_time};
}

bool means_gone(int error)
{
    return error == ENOENT || error == ESRCH;
}

bool exists(std::int32_t pid)
{
    return ::kill(pid, 0) == 0 || errno == EPERM;
}

std::optional<std::int32_t> pid_of_entry(const char* name)
{
    std::int32_t pid = 0;
    const char* const end = name + std::char_traits<char>::length(name);
    const auto [after, error] = std::from_chars(name, end, pid);
    if (error != std::errc{} || after != end || pid <= 0) return std::nullopt;
    return pid;
}

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

bool scan_stat(std::string_view line, StatFields& fields) noexcept
{
    const std::size_t open = line.find('(');
    const std::size_t close = line.rfind(')');  // the name may hold parentheses, blanks and newlines
    if (open == std::string_view::npos || close == std::string_view::npos || close < open || open < 2) return false;
    const auto [end, error] = std::from_chars(line.data(), line.data() + open, fields.pid);
    if (error != std::errc{} || end != line.data() + open - 1 || *end != ' ' || fields.pid <= 0) return false;

    const std::string_view rest = line.substr(close + 1);
    StatNumbers numbers{};
    if (rest.size() < 3 || rest[0] != ' ' || !scan_numbers(rest.substr(2), numbers)) return false;
    fields.command = line.substr(open + 1, close - open - 1);
    fields.state = rest[1];
    fields.parent = static_cast<std::int32_t>(numbers[field(4)]);
    fields.group = static_cast<std::int32_t>(numbers[field(5)]);
    fields.session = static_cast<std::int32_t>(numbers[field(6)]);
    fields.cpu_ticks = static_cast<std::uint64_t>(numbers[field(14)] + numbers[field(15)] + numbers[field(16)] + numbers[field(17)]);
    fields.tasks = static_cast<std::uint64_t>(numbers[field(20)]);
    fields.start_time = static_cast<std::uint64_t>(numbers[field(22)]);
    return true;
}

std::uint64_t read_own_start_time() noexcept
{
    StatBuffer buffer;
    std::string_view line;
    StatFields fields;
    if (read_kernel_file(AT_FDCWD, "/proc/self/stat", buffer, &line) != 0 || !scan_stat(line, fields)) return 0;
    return fields.start_time;
}

std::optional<ProcessStat> parse_stat(std::string_view line)
{
    return to_process_stat(line);
}

Result<std::optional<ProcessStat>> read_stat(std::int32_t pid)
{
    std::array<char, 32> path;
    std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
    // Twice: between the two looks at the first try, another process may have been given the number.
    for (int attempt = 0; attempt < 2; ++attempt) {
        StatBuffer buffer;
        std::string_view line;
        const int error = read_kernel_file(AT_FDCWD, path.data(), buffer, &line);
        if (error == 0 && !line.empty()) {
            std::optional<ProcessStat> stat = to_process_stat(line);
            if (stat) return stat;
            return fail(Error{.code = ErrorCode::undeterminable,
                              .operation = "look at",
                              .object = process_text(pid),
                              .cause = std::string(path.data()) + " has an unknown format"});
        }
        if (error != 0 && !means_gone(error)) {
            Error failed = errno_error("look at", process_text(pid), error);
            failed.code = ErrorCode::undeterminable;
            return fail(std::move(failed));
        }
        if (!proc_is_ours()) return fail(no_proc_error("look at", process_text(pid)));
        if (pid <= 0 || !exists(pid)) return std::nullopt;
    }
    return fail(Error{.code = ErrorCode::undeterminable,
                      .operation = "look at",
                      .object = process_text(pid),
                      .cause = "it exists, but /proc hides it from this user (hidepid)",
                      .next_step = "run as root"});
}

Result<std::vector<ProcessStat>> all_processes()
{
    const std::unique_ptr<DIR, CloseDirectory> proc(::opendir("/proc"));
    if (!proc || !proc_is_ours()) return fail(no_proc_error("list", "the processes"));
    std::vector<ProcessStat> all;
    errno = 0;
    while (const dirent* entry = ::readdir(proc.get())) {
        const std::optional<std::int32_t> pid = pid_of_entry(entry->d_name);
        if (!pid) continue;
        std::array<char, 32> path;
        std::snprintf(path.data(), path.size(), "%d/stat", *pid);
        StatBuffer buffer;
        std::string_view line;
        // One that ended meanwhile, or that hidepid keeps to itself, is skipped.
        if (read_kernel_file(::dirfd(proc.get()), path.data(), buffer, &line) == 0) {
            if (std::optional<ProcessStat> stat = to_process_stat(line)) all.push_back(std::move(*stat));
        }
        errno = 0;
    }
    if (errno != 0) return fail(errno_error("list", "the processes", errno));
    return all;
}

std::vector<ProcessStat> descendants(const std::vector<ProcessStat>& all, std::int32_t root)
{
    std::vector<const ProcessStat*> by_parent;
    by_parent.reserve(all.size());
    for (const ProcessStat& process : all) by_parent.push_back(&process);
    std::ranges::stable_sort(by_parent, {}, &ProcessStat::parent);

    std::vector<ProcessStat> found;
    std::vector<std::int32_t> seen{root};  // a number reused while /proc was read could close a circle
    std::size_t next = 0;
    for (std::int32_t parent = root;; parent = found[next++].pid) {
        auto at = std::ranges::lower_bound(by_parent, parent, {}, &ProcessStat::parent);
        for (; at != by_parent.end() && (*at)->parent == parent; ++at) {
            if (std::ranges::find(seen, (*at)->pid) != seen.end()) continue;
            seen.push_back((*at)->pid);
            found.push_back(**at);
        }
        if (next == found.size()) return found;
    }
}

}  // namespace steward::os
