#include "os/cgroup_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "os/pidfd.hpp"
#include "os/proc_file.hpp"

namespace steward::os::cgroup_tree {
namespace {

constexpr long cgroup2_magic = 0x63677270;       // CGROUP2_SUPER_MAGIC
constexpr std::size_t list_limit = 4 << 20;      // half a million processes
constexpr std::size_t descriptors_at_once = 64;  // held while a list is read again
constexpr nlink_t bare_links = 4;                // of a group with two below it: one of steward's own, and whatever one has to look at
constexpr int kill_rounds = 100;                 // a bound for a kernel that lies; two or three are what it takes

bool is_writable_hierarchy(const char* path)
{
    struct statfs filesystem = {};
    return ::statfs(path, &filesystem) == 0 && filesystem.f_type == cgroup2_magic && (filesystem.f_flags & ST_RDONLY) == 0;
}

bool systemd_is_running()  // as sd_booted(3) tells
{
    struct stat there = {};
    return ::lstat("/run/systemd/system", &there) == 0 && S_ISDIR(there.st_mode);
}

// This process's own group, as a path in the hierarchy.
std::optional<std::string> own_group()
{
    std::array<char, 8192> buffer;
    std::string_view text;
    if (read_kernel_file(AT_FDCWD, "/proc/self/cgroup", buffer, &text) != 0) return std::nullopt;
    std::size_t at = text.starts_with("0::/") ? 0 : text.find("\n0::/");
    if (at == std::string_view::npos) return std::nullopt;
    if (at != 0) ++at;
    const std::size_t begin = at + 3;
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string path(text.substr(begin, end - begin));
    // A group outside the caller's cgroup namespace, or one that has been removed.
    if (path.starts_with("/..") || path.ends_with(" (deleted)")) return std::nullopt;
    return path == "/" ? "" : path;
}

bool is_marked_delegated(const std::string& path)
{
    for (const char* attribute : {"user.delegate", "trusted.delegate"}) {
        char value[2] = {};
        if (::getxattr(path.c_str(), attribute, value, sizeof value) == 1 && value[0] == '1') return true;
    }
    return false;
}

bool can_write(const std::string& path)
{
    return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

// Calls for each group right below but hidden ones.
void for_each_child(BorrowedFd group, const std::function<void(BorrowedFd child, const char* name)>& visit)
{
    const int list = ::openat(group.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list < 0) return;
    const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(list));
    if (!directory) {
        ::close(list);
        return;
    }
    while (const dirent* entry = ::readdir(directory.get())) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        const UniqueFd child(::openat(group.get(), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (child) visit(child, entry->d_name);
    }
}

void add_numbers(std::string_view text, std::vector<std::int32_t>& pids)
{
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        std::int32_t pid = 0;
        const auto [after, error] = std::from_chars(at, end, pid);
        if (error == std::errc{} && pid > 0) pids.push_back(pid);  // 0: a process of another PID namespace
        at = std::find(after, end, '\n');
        if (at != end) ++at;
    }
}

// The number is signalled only if, after its pidfd was taken, it is still a member's: what the pidfd holds is then that member, or dead.
int kill_some(BorrowedFd group, std::span<const std::int32_t> pids)
{
    std::vector<UniqueFd> held;
    for (const std::int32_t pid : pids) held.emplace_back(pidfd::open(pid));
    std::vector<std::int32_t> members;
    if (const int error = list_processes(group, members); error != 0) return error;
    int first_error = 0;
    for (std::size_t at = 0; at < pids.size(); ++at) {
        if (std::ranges::find(members, pids[at]) == members.end()) continue;
        int result = held[at] ? pidfd::send_signal(held[at].get(), SIGKILL) : -ENOSYS;
        if (result == -ENOSYS || result == -EPERM) result = ::kill(pids[at], SIGKILL) == 0 ? 0 : -errno;
        if (result != 0 && result != -ESRCH && first_error == 0) first_error = -result;
    }
    return first_error;
}

}  // namespace

// "/sys/fs/cgroup" where only v2 is mounted, "…/unified" on a hybrid host. Unset: none, or none that can be written.
std::optional<std::string> hierarchy()
{
    for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        if (is_writable_hierarchy(path)) return path;
    }
    return std::nullopt;
}

std::optional<std::string> place_for_groups()
{
    const std::optional<std::string> mount = hierarchy();
    if (!mount) return std::nullopt;
    const bool under_systemd = systemd_is_running();
    if (!under_systemd && ::geteuid() == 0) return mount;
    const std::optional<std::string> own = own_group();
    if (!own) return std::nullopt;
    std::string path = *mount + *own;
    if (path.ends_with(own_leaf)) path.resize(path.size() - std::strlen(own_leaf));
    if (!can_write(path) || !can_write(path + "/cgroup.procs")) return std::nullopt;
    if (under_systemd && !is_marked_delegated(path)) return std::nullopt;
    return path;
}

int write_file(BorrowedFd group, const char* file, std::string_view text)
{
    const int fd = ::openat(group.get(), file, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int error = ::write(fd, text.data(), text.size()) < 0 ? errno : 0;
    ::close(fd);
    return error;
}

UniqueFd open_group(const std::string& path)
{
    UniqueFd group(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct statfs filesystem = {};
    if (!group || ::fstatfs(group.get(), &filesystem) != 0 || filesystem.f_type != cgroup2_magic) return UniqueFd();
    return group;
}

int list_direct(BorrowedFd group, std::vector<std::int32_t>& pids)
{
    const UniqueFd list(::openat(group.get(), "cgroup.procs", O_RDONLY | O_CLOEXEC));
    if (!list) return errno == ENOENT || errno == ENODEV ? 0 : errno;
    const auto text = read_all(list, list_limit);
    if (text) {
        add_numbers(*text, pids);
    } else if (text.error().os_errno != ENODEV && text.error().os_errno != EOPNOTSUPP) {  // removed; threaded: its parent lists them
        return text.error().os_errno != 0 ? text.error().os_errno : E2BIG;
    }
    return 0;
}

int list_processes(BorrowedFd group, std::vector<std::int32_t>& pids)
{
    int error = list_direct(group, pids);
    for_each_child(group, [&](BorrowedFd child, const char*) {
        if (error == 0) error = list_processes(child, pids);
    });
    return error;
}

int kill_members(BorrowedFd group)
{
    std::vector<std::int32_t> signalled;
    for (int round = 0; round < kill_rounds; ++round) {
        std::vector<std::int32_t> fresh;
        if (const int error = list_processes(group, fresh); error != 0) return error;
        std::erase_if(fresh, [&](std::int32_t pid) { return std::ranges::binary_search(signalled, pid); });
        // What was signalled has no children any more, for fork fails with a fatal signal pending: nothing new is nothing left.
        if (fresh.empty()) return 0;
        for (std::span<const std::int32_t> rest = fresh; !rest.empty();) {
            const std::span<const std::int32_t> some = rest.first(std::min(rest.size(), descriptors_at_once));
            if (const int error = kill_some(group, some); error != 0) return error;
            rest = rest.subspan(some.size());
        }
        signalled.insert(signalled.end(), fresh.begin(), fresh.end());
        std::ranges::sort(signalled);
    }
    return EBUSY;
}

void remove_children(BorrowedFd group)
{
    for_each_child(group, [&](BorrowedFd child, const char* name) {
        remove_children(child);
        ::unlinkat(group.get(), name, AT_REMOVEDIR);
    });
}

void remove_bare_parent(const std::string& path)
{
    if (::rmdir(path.c_str()) == 0) return;
    const UniqueFd parent = open_group(path);
    struct stat there = {};
    if (!parent || ::fstat(parent.get(), &there) != 0 || there.st_nlink > bare_links) return;
    // As long as a service's is left, whoever joins steward there has to go into steward's own, which no child is.
    bool bare = true;
    for_each_child(parent, [&](BorrowedFd, const char*) { bare = false; });
    if (!bare) return;
    ::rmdir((path.substr(0, path.rfind('/')) + own_leaf).c_str());
    ::rmdir(path.c_str());
}

}  // namespace steward::os::cgroup_tree
