#include "os/cgroup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/cgroup_tree.hpp"
#include "os/error.hpp"
#include "os/proc_file.hpp"

namespace steward::os {
namespace {

constexpr int attempts = 3;                // another's remove() may take the directory away below our feet
constexpr int spare_names = 9;             // NAME, NAME~2, … NAME~9
constexpr const char* ours = "/steward/";  // every group of steward's has this in its path

std::string text_of(const std::string& path)
{
    return "the cgroup " + quoted(path);
}

bool is_group_name(const std::string& name)
{
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos && !name.starts_with("cgroup.");
}

}  // namespace

std::optional<Cgroup> Cgroup::create(const std::string& name)
{
    if (!is_group_name(name)) return std::nullopt;
    const std::optional<std::string> parent = cgroup_tree::place_for_groups();
    if (!parent) return std::nullopt;
    const std::string base = *parent + "/steward";
    for (int spare = 1; spare <= spare_names; ++spare) {
        const std::string path = base + "/" + name + (spare == 1 ? "" : "~" + std::to_string(spare));
        for (int attempt = 0; attempt < attempts; ++attempt) {
            if (::mkdir(base.c_str(), 0755) != 0 && errno != EEXIST) return std::nullopt;
            const int error = ::mkdir(path.c_str(), 0755) == 0 ? 0 : errno;
            if (error != 0 && error != EEXIST && error != ENOENT) return std::nullopt;
            std::optional<Cgroup> group = open(path);
            if (group && error == 0) return group;
            if (!group && error == 0 && ::rmdir(path.c_str()) == 0) return std::nullopt;  // no descriptor is left to hold it with
            // Processes in it are another service's of the same name, or what an earlier run left behind on purpose: neither may
            // be ended with this one. An empty one is made anew: a process born (CLONE_INTO_CGROUP) into a group that was killed
            // before is killed at birth by Linux 6.18.
            if (group && !group->remove()) break;
        }
    }
    return std::nullopt;
}

std::optional<Cgroup> Cgroup::open(const std::string& path)
{
    // A damaged record must not lead to the host's own groups.
    const std::size_t at = path.find(ours);
    if (at == std::string::npos || at + std::char_traits<char>::length(ours) == path.size()) return std::nullopt;
    if (path.find("/../") != std::string::npos || path.ends_with("/..")) return std::nullopt;
    Cgroup group;
    group.path_ = path;
    group.directory_ = cgroup_tree::open_group(path);
    if (!group.directory_) return std::nullopt;
    return group;
}

Result<std::vector<std::int32_t>> Cgroup::processes() const
{
    std::vector<std::int32_t> pids;
    if (const int error = cgroup_tree::list_processes(directory_, pids); error != 0) {
        return fail(errno_error("list the processes of", text_of(path_), error));
    }
    return pids;
}

Result<void> Cgroup::kill() const
{
    const int error = cgroup_tree::write_file(directory_, "cgroup.kill", "1");
    if (error == 0 || error == ENODEV) return {};  // ENODEV: it has been removed
    if (const int fallback = cgroup_tree::kill_members(directory_); fallback != 0) {
        return fail(errno_error("kill", text_of(path_), fallback));
    }
    return {};
}

Result<void> Cgroup::add(std::int32_t pid) const
{
    const int error = cgroup_tree::write_file(directory_, "cgroup.procs", std::to_string(pid));
    if (error != 0) return fail(errno_error("put " + process_text(pid) + " into", text_of(path_), error));
    return {};
}

Result<bool> Cgroup::populated() const
{
    std::array<char, 256> buffer;
    std::string_view text;
    const int error = read_kernel_file(directory_.get(), "cgroup.events", buffer, &text);
    if (error == ENOENT || error == ENODEV) return false;
    if (error != 0) return fail(errno_error("look at", text_of(path_), error));
    return text.find("populated 1") != std::string_view::npos;
}

Result<UniqueFd> Cgroup::events() const
{
    UniqueFd events(::openat(directory_.get(), "cgroup.events", O_RDONLY | O_CLOEXEC));
    if (!events) return fail(errno_error("watch", text_of(path_), errno));
    return events;
}

Result<void> Cgroup::remove() const
{
    int error = ::rmdir(path_.c_str()) == 0 ? 0 : errno;
    if (error == EBUSY || error == ENOTEMPTY) {
        const Result<bool> busy = populated();
        if (busy && !*busy) {
            cgroup_tree::remove_children(directory_);
            error = ::rmdir(path_.c_str()) == 0 ? 0 : errno;
        }
    }
    if (error != 0 && error != ENOENT) return fail(errno_error("remove", text_of(path_), error));
    cgroup_tree::remove_bare_parent(path_.substr(0, path_.rfind('/')));  // ".../steward" goes with the last of its groups
    return {};
}

}  // namespace steward::os
