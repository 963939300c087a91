#include "log/log_chain.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "os/error.hpp"

namespace steward::log {

namespace {

constexpr std::size_t beginning_size = 256;
constexpr int most_looks = 1000;  // each of them spoilt by a rotation

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct Rotated {
    std::string name;
    std::string order;  // the number or the date
    bool dated = false;
    bool packed = false;
};

std::optional<Rotated> as_rotated(const std::string& base, const std::string& name)
{
    if (!name.starts_with(base) || name.size() < base.size() + 2) return std::nullopt;
    std::string_view rest = std::string_view(name).substr(base.size());
    const char separator = rest.front();
    if (separator != '.' && separator != '-') return std::nullopt;
    rest.remove_prefix(1);
    const Encoding encoding = encoding_of(rest);
    if (encoding != Encoding::plain) rest = rest.substr(0, rest.rfind('.'));
    const bool dated = separator == '-';
    const bool right = !rest.empty() && rest.size() < 20 && is_digit(rest.front()) &&
                       std::ranges::all_of(rest, [&](char c) { return is_digit(c) || (dated && c == '-'); });
    if (!right) return std::nullopt;
    return Rotated{.name = name, .order = std::string(rest), .dated = dated, .packed = encoding != Encoding::plain};
}

bool newer(const Rotated& left, const Rotated& right)
{
    if (left.dated != right.dated) return !left.dated;
    if (left.dated) return left.order > right.order;
    if (left.order.size() != right.order.size()) return left.order.size() < right.order.size();
    return left.order < right.order;
}

Error about(Error error, const std::string& path)
{
    error.operation = "read";
    error.object = "log file " + os::quoted(path);
    return error;
}

// The first bytes, by a reader of its own: a compressed file cannot be read twice by one.
Result<std::string> beginning_of(const std::string& path, os::BorrowedFd fd)
{
    auto copy = os::duplicate(fd);
    if (!copy) return fail(copy.error());
    EncodedFile file(std::move(*copy), encoding_of(path), path);
    std::array<char, beginning_size> bytes{};
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const auto got = file.read(std::span(bytes).subspan(filled));
        if (!got) return fail(got.error());
        if (*got == 0) break;
        filled += *got;
    }
    return std::string(bytes.data(), filled);
}

}  // namespace

std::vector<std::string> rotated_names(const std::string& base, const std::vector<std::string>& names)
{
    std::vector<Rotated> found;
    for (const std::string& name : names) {
        if (auto rotated = as_rotated(base, name)) found.push_back(std::move(*rotated));
    }
    // A plain file beside its compressed copy is one whose compression was cut short: the plain one is whole.
    std::ranges::sort(found, [](const Rotated& left, const Rotated& right) {
        return left.dated == right.dated && left.order == right.order ? !left.packed && right.packed : newer(left, right);
    });
    const auto same = std::unique(found.begin(), found.end(), [](const Rotated& left, const Rotated& right) {
        return left.dated == right.dated && left.order == right.order;
    });
    found.erase(same, found.end());
    std::vector<std::string> result;
    for (Rotated& rotated : found) result.push_back(std::move(rotated.name));
    return result;
}

struct LogChain::Found {
    std::string path;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const Found&, const Found&) = default;
};

// Newest first. Unset: a name went while the others were looked at, and its file may stand under one that was looked at before.
Result<std::optional<std::vector<LogChain::Found>>> LogChain::look() const
{
    const std::string directory = os::parent_of(path_);
    std::vector<Found> found;
    const auto add = [&](const std::string& path) -> Result<bool> {
        const auto there = os::info_at(path);
        if (!there) return fail(about(there.error(), path));
        if (*there) found.push_back({.path = path, .device = (*there)->device, .inode = (*there)->inode});
        return there->has_value();
    };
    if (const auto newest = add(path_); !newest) return fail(newest.error());
    // What is held open keeps its inode's number.
    const bool unchanged = !files_.empty() && !found.empty() && found.front().inode == files_.back().info.inode &&
                           found.front().device == files_.back().info.device;
    if (unchanged) return std::optional(std::move(found));
    const auto names = os::list_directory(directory);
    if (!names && names.error().os_errno == ENOTDIR) return std::optional<std::vector<Found>>(std::in_place);
    if (!names) return fail(about(names.error(), path_));
    for (const std::string& name : rotated_names(os::base_of(path_), *names)) {
        const auto there = add((directory == "/" ? "" : directory) + "/" + name);
        if (!there) return fail(there.error());
        if (!*there) return std::optional<std::vector<Found>>{};
    }
    return std::optional(std::move(found));
}

// One that was opened when it was new has grown since. What is held open keeps its inode's number.
void LogChain::learn_beginnings()
{
    for (const ChainFile& each : files_) {
        const auto seen = std::ranges::find_if(
            seen_.rbegin(), seen_.rend(), [&](const Seen& one) { return one.device == each.info.device && one.inode == each.info.inode; });
        if (seen == seen_.rend() || seen->beginning.size() == beginning_size) continue;
        if (auto beginning = beginning_of(each.file.path(), each.file.fd())) seen->beginning = std::move(*beginning);
    }
}

bool LogChain::was_seen(const ChainFile& opened) const
{
    const auto same_place = [&](std::uint64_t device, std::uint64_t inode) {
        return opened.info.device == device && opened.info.inode == inode;
    };
    if (!files_.empty() && same_place(files_.back().info.device, files_.back().info.inode)) return true;
    return std::ranges::any_of(seen_, [&](const Seen& seen) {
        const bool packed = opened.file.encoding() != Encoding::plain;
        return !seen.beginning.empty() && opened.beginning.starts_with(seen.beginning) && (packed || same_place(seen.device, seen.inode));
    });
}

void LogChain::remember(const ChainFile& opened)
{
    constexpr std::size_t enough = 64;
    seen_.push_back({.device = opened.info.device, .inode = opened.info.inode, .beginning = opened.beginning});
    if (seen_.size() > enough) seen_.pop_front();
}

// Newest first, down to one that was read before. Unset: the names have changed meanwhile.
Result<std::optional<std::vector<ChainFile>>> LogChain::open_new(const std::vector<Found>& found, bool& reached)
{
    std::vector<ChainFile> opened;
    reached = false;
    for (const Found& each : found) {
        auto fd = os::open_trusted(each.path, {.read = true});
        if (!fd && fd.error().os_errno == ENOENT) return std::optional<std::vector<ChainFile>>{};
        if (!fd) return fail(about(fd.error(), each.path));
        const auto info = os::info(*fd);
        if (!info) return fail(about(info.error(), each.path));
        if (info->kind != os::FileInfo::Kind::regular) {
            return fail(Error{.operation = "read", .object = "log file " + os::quoted(each.path), .cause = "it is not a regular file"});
        }
        if (info->inode != each.inode || info->device != each.device) return std::optional<std::vector<ChainFile>>{};
        // A damaged file is told when it is read, not when it is looked at.
        auto beginning = beginning_of(each.path, *fd);
        ChainFile file{.file = EncodedFile(std::move(*fd), encoding_of(each.path), each.path),
                       .info = *info,
                       .beginning = beginning ? std::move(*beginning) : std::string{}};
        if (file.file.encoding() != Encoding::plain) learn_beginnings();
        reached = was_seen(file);
        if (reached) break;
        opened.push_back(std::move(file));
    }
    return std::optional(std::move(opened));
}

Result<bool> LogChain::refresh(std::optional<std::chrono::system_clock::time_point> oldest_wanted)
{
    const bool first = seen_.empty();
    std::optional<std::vector<ChainFile>> opened;
    bool reached = false;
    bool settled = false;
    for (int looks = 0; !settled && looks < most_looks; ++looks) {
        const auto found = look();
        if (!found) return fail(found.error());
        if (!*found) continue;
        auto now = open_new(**found, reached);
        if (!now) return fail(now.error());
        if (!*now) continue;
        opened = std::move(*now);
        const auto again = look();
        settled = again && *again == *found;
    }
    if (!settled)
        return fail(
            Error{.operation = "read", .object = "log file " + os::quoted(path_), .cause = "it is rotated faster than it can be read"});
    // Only now: whoever reads may drop them before the next time.
    learn_beginnings();
    if (opened->empty()) return false;
    gap_ = gap_ || (!first && !reached && opened->size() > 1);
    while (!opened->empty()) {
        ChainFile file = std::move(opened->back());
        opened->pop_back();
        remember(file);
        const auto modified = std::chrono::system_clock::time_point(std::chrono::nanoseconds(file.info.modified_ns));
        const bool newest = opened->empty();
        if (newest || !oldest_wanted || modified >= *oldest_wanted) files_.push_back(std::move(file));
    }
    return true;
}

}  // namespace steward::log
