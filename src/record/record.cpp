#include "record/record.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <span>

#include "os/error.hpp"
#include "os/file.hpp"
#include "os/file_lock.hpp"
#include "os/trust.hpp"
#include "record/record_file.hpp"

namespace steward::record {

namespace {

constexpr const char* record_name = "record";
constexpr const char* service_file_name = "service.toml";
constexpr const char* control_name = "control";
constexpr const char* verb_lock_name = "verb.lock";
constexpr const char* lease_name = "lease";
constexpr unsigned readable_by_all = 0644;
constexpr std::int64_t lease_byte = 0;
constexpr std::int64_t launch_byte = 1;
constexpr std::int64_t verb_byte = 0;
constexpr std::size_t service_file_limit = std::size_t{4} * 1024 * 1024;

// The rule for names, as the last guard against a path that leaves the runtime directory.
bool is_name(std::string_view name)
{
    const auto allowed = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("_.@:-", c) != nullptr; };
    return !name.empty() && name.size() <= 200 && std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
           std::ranges::all_of(name, allowed) && !name.ends_with(".pid") && !name.ends_with(".toml");
}

Error invalid_name(const std::string& name)
{
    return {.code = ErrorCode::invalid_argument,
            .operation = "open the record of",
            .object = os::quoted(name),
            .cause = "not the name of a service",
            .next_step = {}};
}

// The same fault, told of what it was done to.
Error about(Error error, std::string operation, const std::string& path)
{
    error.operation = std::move(operation);
    error.object = os::quoted(path);
    return error;
}

// The one look that readers take. Who can write a directory above could put another one here, but it would not be root's or the caller's.
Result<void> judge(os::BorrowedFd directory, const std::string& path, ErrorCode code)
{
    const auto found = os::info(directory);
    if (!found) return fail(about(found.error(), "open the record", path));
    const auto refuse = [&](std::string cause) {
        return fail(
            {.code = code, .operation = "trust the record", .object = os::quoted(path), .cause = std::move(cause), .next_step = {}});
    };
    if (found->uid != 0 && found->uid != os::effective_uid()) return refuse("the directory belongs to user " + std::to_string(found->uid));
    if ((found->mode & 022) != 0) return refuse("the directory can be written by other users");
    return {};
}

// With its mode whatever the umask, so that every user's status can read it.
Result<os::UniqueFd> open_or_make(os::BorrowedFd directory, const char* name)
{
    for (;;) {
        auto file = os::open_at(directory, name, {.read = true, .write = true});
        if (file || file.error().os_errno != ENOENT) return file;
        file = os::open_at(directory, name, {.read = true, .write = true, .create = true, .exclusive = true, .mode = readable_by_all});
        if (!file && file.error().os_errno == EEXIST) continue;
        if (!file) return file;
        if (const auto set = os::change_mode(*file, readable_by_all); !set) return fail(set.error());
        return file;
    }
}

// Unset when there is none.
Result<std::optional<os::UniqueFd>> open_to_read(os::BorrowedFd directory, const char* name)
{
    auto file = os::open_at(directory, name, {.read = true});
    if (file) return std::optional(std::move(*file));
    if (file.error().os_errno == ENOENT) return std::nullopt;
    return fail(file.error());
}

Result<std::optional<RecordFile>> open_record(os::BorrowedFd directory, const std::string& directory_path)
{
    const std::string path = directory_path + "/" + record_name;
    auto file = open_to_read(directory, record_name);
    if (!file) return fail(unreadable_record(about(file.error(), "read", path)));
    if (!*file) return std::nullopt;
    return RecordFile(std::move(**file), path);
}

// Ten digits and a newline: the next holder's note covers this one's.
void note_holder(os::BorrowedFd lock)
{
    std::string note = std::to_string(os::self_pid());
    note.resize(10, ' ');
    note += '\n';
    (void)os::write_at(lock, std::as_bytes(std::span(note)), 0);  // the lock holds without it
}

std::string holder(os::BorrowedFd lock)
{
    std::array<char, 11> note{};
    const auto size = os::read_at(lock, std::as_writable_bytes(std::span(note)), 0);
    std::int32_t pid = 0;
    if (size) std::from_chars(note.data(), note.data() + *size, pid);
    if (pid <= 0) return "another command is at work on the service";
    const auto stat = os::read_stat(pid);
    const std::string name = stat && *stat ? " (" + (*stat)->command + ")" : "";
    return "held by process " + std::to_string(pid) + name;
}

}  // namespace

ServiceDirectory::ServiceDirectory(os::UniqueFd directory, std::string path) : directory_(std::move(directory)), path_(std::move(path)) {}

Result<std::optional<ServiceDirectory>> ServiceDirectory::open(const std::string& runtime_directory, const std::string& name)
{
    if (!is_name(name)) return fail(invalid_name(name));
    std::string path = runtime_directory + "/" + name;
    auto directory = os::open_trusted(path, {.read = true, .directory = true});
    if (!directory && directory.error().os_errno == ENOENT) return std::nullopt;
    if (!directory) {
        Error error = about(directory.error(), "open the record", path);
        if (error.code == ErrorCode::failed) error.code = ErrorCode::undeterminable;
        return fail(std::move(error));
    }
    if (const auto judged = judge(*directory, path, ErrorCode::undeterminable); !judged) return fail(judged.error());
    return ServiceDirectory(std::move(*directory), std::move(path));
}

Result<ServiceDirectory> ServiceDirectory::create(const std::string& runtime_directory, const std::string& name)
{
    if (!is_name(name)) return fail(invalid_name(name));
    std::string path = runtime_directory + "/" + name;
    auto directory = os::open_trusted(path, {.read = true, .directory = true});
    if (!directory && directory.error().os_errno == ENOENT) directory = os::make_directories(path, 0755);
    if (!directory) return fail(about(directory.error(), "make the record", path));
    if (const auto judged = judge(*directory, path, ErrorCode::failed); !judged) return fail(judged.error());
    if (os::effective_uid() == 0) {
        const auto distrusted = os::distrust(*directory, {});
        if (!distrusted) return fail(distrusted.error());
        if (*distrusted) {
            return fail({.operation = "make the record", .object = os::quoted(path), .cause = **distrusted, .next_step = {}});
        }
    }
    return ServiceDirectory(std::move(*directory), std::move(path));
}

Result<os::UniqueFd> ServiceDirectory::lock_verb(std::optional<std::chrono::milliseconds> timeout) const
{
    const std::string path = path_ + "/" + verb_lock_name;
    auto file = open_or_make(directory_, verb_lock_name);
    if (!file) return fail(about(file.error(), "lock", path));
    if (const auto locked = os::lock(*file, verb_byte, timeout); !locked) {
        Error error = about(locked.error(), "lock", path);
        if (error.code == ErrorCode::timed_out) error.cause = holder(*file);
        return fail(std::move(error));
    }
    note_holder(*file);
    return file;
}

Result<std::optional<os::UniqueFd>> ServiceDirectory::take_lease() const
{
    const std::string path = path_ + "/" + lease_name;
    auto file = open_or_make(directory_, lease_name);
    if (!file) return fail(about(file.error(), "lock", path));
    const auto taken = os::try_lock(*file, lease_byte);
    if (!taken) return fail(about(taken.error(), "lock", path));
    if (!*taken) return std::nullopt;
    return std::optional(std::move(*file));
}

Result<bool> ServiceDirectory::lease_held() const
{
    const std::string path = path_ + "/" + lease_name;
    const auto file = open_to_read(directory_, lease_name);
    if (!file) return fail(about(file.error(), "look at the lock", path));
    if (!*file) return false;
    const auto held = os::is_locked(**file, lease_byte);
    if (!held) return fail(about(held.error(), "look at the lock", path));
    return *held;
}

Result<os::UniqueFd> ServiceDirectory::lock_launch() const
{
    const std::string path = path_ + "/" + lease_name;
    auto file = open_or_make(directory_, lease_name);
    if (!file) return fail(about(file.error(), "lock", path));
    if (const auto locked = os::lock(*file, launch_byte); !locked) return fail(about(locked.error(), "lock", path));
    return file;
}

bool ServiceDirectory::launch_under_way() const
{
    const auto file = open_to_read(directory_, lease_name);
    if (!file || !*file) return false;
    const auto held = os::is_locked(**file, launch_byte);
    return held && *held;
}

Result<std::optional<State>> ServiceDirectory::read_state() const
{
    auto record = open_record(directory_, path_);
    if (!record) return fail(record.error());
    return *record ? (*record)->state() : std::nullopt;
}

Result<std::optional<os::ProcessIdentity>> ServiceDirectory::read_main() const
{
    auto record = open_record(directory_, path_);
    if (!record) return fail(record.error());
    return *record ? (*record)->main_process() : std::nullopt;
}

Result<Reading> ServiceDirectory::read() const
{
    auto record = open_record(directory_, path_);
    if (!record) return fail(record.error());
    return *record ? (*record)->read() : Reading{};
}

Result<void> ServiceDirectory::write_state(const State& state) const
{
    auto file = record_for_child();
    if (!file) return fail(file.error());
    return RecordFile(std::move(*file), path_ + "/" + record_name).write(state);
}

Result<void> ServiceDirectory::clear_main() const
{
    auto file = record_for_child();
    if (!file) return fail(file.error());
    return RecordFile(std::move(*file), path_ + "/" + record_name).clear_main();
}

Result<void> ServiceDirectory::write_main(const os::ProcessIdentity& main) const
{
    auto file = record_for_child();
    if (!file) return fail(file.error());
    return RecordFile(std::move(*file), path_ + "/" + record_name).write_main(main);
}

Result<os::UniqueFd> ServiceDirectory::record_for_child() const
{
    auto file = open_or_make(directory_, record_name);
    if (!file) return fail(about(file.error(), "write", path_ + "/" + record_name));
    return file;
}

Result<void> ServiceDirectory::write_service_file(const std::string& resolved) const
{
    const auto written = os::replace_file(directory_, service_file_name, resolved, 0600);
    if (!written) return fail(about(written.error(), "write", path_ + "/" + service_file_name));
    return {};
}

Result<std::optional<std::string>> ServiceDirectory::read_service_file() const
{
    const std::string path = path_ + "/" + service_file_name;
    const auto file = open_to_read(directory_, service_file_name);
    if (!file) return fail(about(file.error(), "read", path));
    if (!*file) return std::nullopt;
    auto content = os::read_all(**file, service_file_limit);
    if (!content) return fail(about(content.error(), "read", path));
    return std::optional(std::move(*content));
}

Result<void> ServiceDirectory::forget() const
{
    for (const char* name : {record_name, service_file_name, control_name, "notify"}) {
        const auto removed = os::remove_at(directory_, name);
        if (!removed) return fail(about(removed.error(), "remove", path_ + "/" + name));
    }
    return {};
}

Result<std::vector<std::string>> recorded_names(const std::string& runtime_directory)
{
    auto names = os::list_directory(runtime_directory);
    if (!names) return fail(names.error());
    std::erase_if(*names, [&](const std::string& name) {
        if (!is_name(name)) return true;
        const auto found = os::info_at(runtime_directory + "/" + name + "/" + record_name);
        return found && !*found;  // one that cannot be looked at is a service all the same: its status tells why
    });
    return names;
}

}  // namespace steward::record
