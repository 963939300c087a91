// A process and everything below it, by /proc/PID/task/TID/children, or above: no pass over the whole of /proc.
#include <charconv>

#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::os {

namespace {

constexpr std::size_t children_limit = 1 << 20;
constexpr std::size_t deepest = 4096;

void append_children(std::vector<std::int32_t>& tree, std::int32_t pid)
{
    const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    const auto threads = list_directory(tasks);
    if (!threads) return;
    for (const std::string& thread : *threads) {
        const auto text = read_file(tasks + "/" + thread + "/children", children_limit);
        if (!text) continue;
        const char* at = text->data();
        const char* const end = at + text->size();
        while (at < end) {
            std::int32_t child = 0;
            const auto parsed = std::from_chars(at, end, child);
            if (parsed.ec != std::errc{}) break;
            tree.push_back(child);
            at = parsed.ptr + 1;
        }
    }
}

}  // namespace

std::vector<std::int32_t> process_tree(std::int32_t root)
{
    std::vector<std::int32_t> tree = {root};
    for (std::size_t i = 0; i < tree.size(); ++i) append_children(tree, tree[i]);
    return tree;
}

std::vector<ProcessStat> ancestors()
{
    std::vector<ProcessStat> found;
    // Numbers that are given anew meanwhile could make a circle of it.
    for (std::int32_t pid = parent_pid(); pid > 0 && found.size() < deepest;) {
        auto stat = read_stat(pid);
        if (!stat || !*stat) break;
        pid = (*stat)->parent;
        found.push_back(std::move(**stat));
    }
    return found;
}

}  // namespace steward::os
