#include "record/pid_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string_view>
#include <thread>

#include "os/error.hpp"
#include "os/file.hpp"
#include "os/trust.hpp"
#include "record/pid_text.hpp"

namespace steward::record {

namespace {

using Verdict = PidFileReading::Verdict;
using Kind = os::FileInfo::Kind;

// A daemon may truncate its PID file and write it a moment later.
constexpr auto patience = std::chrono::milliseconds(50);
constexpr auto pause = std::chrono::milliseconds(5);

constexpr std::int32_t highest_pid = 1 << 22;        // PID_MAX_LIMIT of the kernel
constexpr std::int32_t usual_highest_pid = 1 << 15;  // its default on small hosts

std::int32_t pid_max()
{
    const auto text = os::read_file("/proc/sys/kernel/pid_max", 64);
    std::int32_t limit = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), limit);
    return limit > 0 ? std::min(limit, highest_pid) : highest_pid;
}

PidFileReading refused(std::string reason)
{
    return {.verdict = Verdict::refused, .pid = 0, .reason = std::move(reason)};
}

const char* describe(Kind kind)
{
    switch (kind) {
        case Kind::regular: return "is a file";
        case Kind::directory: return "is a directory";
        case Kind::symlink: return "is a symbolic link";
        case Kind::fifo: return "is a FIFO";
        case Kind::socket: return "is a socket";
        case Kind::device: return "is a device";
    }
    return "is no file";
}

PidFileReading unopened(const Error& error)
{
    if (error.os_errno == ENOENT || error.os_errno == ENOTDIR) return {};
    return {.verdict = Verdict::unreadable, .pid = 0, .reason = error.cause};
}

// A PID file's place and what stands there, looked at but neither opened nor read: opening a device may do something.
struct Place {
    os::UniqueFd directory;
    std::string name;
    std::optional<os::FileInfo> object;  // unset: nothing
    PidFileReading judgement;            // refused and unreadable stand; anything else is for the content to say
};

Place look_at(const std::string& path, std::uint32_t owner)
{
    Place place{.directory = {}, .name = os::base_of(path), .object = {}, .judgement = {}};
    // "/." makes the directory a component on the way, where root's own link is followed: /var/run.
    auto directory = os::open_trusted(os::parent_of(os::absolute(path)) + "/.", {.directory = true, .path_only = true});
    if (!directory) {
        const bool link = directory.error().os_errno == ELOOP;
        place.judgement = link ? refused("is reached through a symbolic link that another user could change") : unopened(directory.error());
        return place;
    }
    place.directory = std::move(*directory);

    const auto distrusted = os::distrust(place.directory, {.owner = owner, .groups = {}});
    if (!distrusted) {
        place.judgement = unopened(distrusted.error());
        return place;
    }
    if (*distrusted) {
        place.judgement = refused("cannot be trusted: " + **distrusted);
        return place;
    }
    const auto object = os::open_at(place.directory, place.name, {.path_only = true});
    if (!object) {
        place.judgement = object.error().os_errno == ELOOP ? refused(describe(Kind::symlink)) : unopened(object.error());
        return place;
    }
    const auto found = os::info(*object);
    if (!found) {
        place.judgement = unopened(found.error());
        return place;
    }
    place.object = *found;
    if (found->kind != Kind::regular)
        place.judgement = refused(describe(found->kind));
    else if (found->uid != 0 && found->uid != owner)
        place.judgement = refused("belongs to user " + std::to_string(found->uid));
    else if ((found->mode & 022) != 0)
        place.judgement = refused("can be written by other users");
    return place;
}

PidFileReading read_once(const std::string& path, std::uint32_t owner, bool allow_pid_1)
{
    const Place place = look_at(path, owner);
    if (!place.object || place.judgement.verdict != Verdict::missing) return place.judgement;
    const auto file = os::open_at(place.directory, place.name, {.read = true});
    if (!file) return unopened(file.error());
    std::string content(pid_text_limit + 1, '\0');
    const auto size = os::read_at(*file, std::as_writable_bytes(std::span(content)), 0);
    if (!size) return unopened(size.error());
    content.resize(*size);
    PidFileReading reading = parse_pid_text(content, highest_pid, allow_pid_1);
    // Below it the question is not worth a file: where pid_max is lower still, nobody has that PID and the process is found dead.
    if (reading.pid > usual_highest_pid) reading = parse_pid_text(content, pid_max(), allow_pid_1);
    return reading;
}

Error place_error(const std::string& path, const char* operation, const PidFileReading& judgement)
{
    const bool denied = judgement.verdict == Verdict::unreadable;
    return {.code = denied ? ErrorCode::not_permitted : ErrorCode::untrusted_pid_file,
            .operation = operation,
            .object = "PID file " + os::quoted(path),
            .cause = denied ? judgement.reason : "it " + judgement.reason,
            .next_step = {}};
}

// The place as a writer needs it: its directory there, and nothing in it that is not a plain file of ours.
Result<Place> place_to_write(const std::string& path, std::uint32_t owner)
{
    Place place = look_at(path, owner);
    if (place.judgement.verdict != Verdict::missing) return fail(place_error(path, "write", place.judgement));
    if (place.directory) return place;
    const std::string directory = os::parent_of(os::absolute(path));
    return fail({.code = ErrorCode::failed,
                 .operation = "write",
                 .object = "PID file " + os::quoted(path),
                 .cause = "there is no directory " + os::quoted(directory),
                 .next_step = "mkdir -p " + directory,
                 .os_errno = ENOENT});
}

}  // namespace

PidFileReading read_pid_file(const std::string& path, std::uint32_t owner, bool allow_pid_1)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const PidFileReading reading = read_once(path, owner, allow_pid_1);
        if (reading.verdict != Verdict::empty || std::chrono::steady_clock::now() >= deadline) return reading;
        std::this_thread::sleep_for(pause);
    }
}

PidFileReading read_pid_file_now(const std::string& path, std::uint32_t owner)
{
    return read_once(path, owner, false);
}

Result<void> write_pid_file(const std::string& path, std::int32_t pid, std::uint32_t owner)
{
    const auto place = place_to_write(path, owner);
    if (!place) return fail(place.error());
    if (const auto written = os::replace_file(place->directory, place->name, std::to_string(pid) + "\n", 0644); !written) {
        Error error = written.error();
        error.object = "PID file " + os::quoted(path);
        return fail(std::move(error));
    }
    return {};
}

Result<void> check_pid_file_place(const std::string& path, std::uint32_t owner)
{
    const auto place = place_to_write(path, owner);
    if (!place) return fail(place.error());
    return {};
}

Result<void> remove_pid_file(const std::string& path, std::int32_t pid, std::uint32_t owner)
{
    const PidFileReading reading = read_once(path, owner, true);
    if (reading.verdict == Verdict::unreadable) return fail(place_error(path, "remove", reading));
    const bool stale =
        pid == 0 && (reading.verdict == Verdict::pid || reading.verdict == Verdict::empty || reading.verdict == Verdict::too_large);
    const bool ours = pid != 0 && reading.verdict == Verdict::pid && reading.pid == pid;
    if (!stale && !ours) return {};

    // Its directory is trusted and so are all its writers: what was read is what is removed.
    const Place place = look_at(path, owner);
    if (!place.object || place.judgement.verdict != Verdict::missing) return {};
    if (const auto removed = os::remove_at(place.directory, place.name); !removed) {
        Error error = removed.error();
        error.object = "PID file " + os::quoted(path);
        return fail(std::move(error));
    }
    return {};
}

}  // namespace steward::record
