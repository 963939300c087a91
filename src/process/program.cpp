#include "process/program.hpp"

#include <array>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "os/account.hpp"
#include "os/error.hpp"
#include "os/file.hpp"
#include "os/trust.hpp"

namespace steward::process {

namespace {

constexpr int most_links = 40;  // as the kernel's own

std::optional<std::string> link_target(const std::string& path)
{
    std::error_code error;
    const auto target = std::filesystem::read_symlink(path, error);
    return error ? std::nullopt : std::optional(target.string());
}

Error missing(const std::string& path, int os_errno)
{
    return Error{.code = ErrorCode::program_missing,
                 .operation = "execute",
                 .object = os::quoted(path),
                 .cause = os::errno_text(os_errno),
                 .next_step = {},
                 .os_errno = os_errno};
}

Result<std::string> search_path(const std::string& name, const ProgramSearch& where)
{
    std::string_view rest = where.path;
    std::string not_executable;
    while (!rest.empty()) {
        const std::string_view directory = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
        if (!directory.starts_with('/')) continue;
        std::string candidate = std::string(directory) + (directory.ends_with('/') ? "" : "/") + name;
        const std::string outside = outside_of_root(where.root_directory, candidate);
        if (os::can_execute(outside)) return candidate;
        const auto there = os::info_at(outside, true);
        if (not_executable.empty() && there && *there && (*there)->kind == os::FileInfo::Kind::regular)
            not_executable = std::move(candidate);
    }
    if (!not_executable.empty()) return fail(missing(not_executable, EACCES));
    return fail(Error{.code = ErrorCode::program_missing,
                      .operation = "execute",
                      .object = os::quoted(name),
                      .cause = "not found in " + (where.path.empty() ? "an empty PATH" : where.path),
                      .next_step = {},
                      .os_errno = ENOENT});
}

Error changeable(const std::string& program, std::string why)
{
    return Error{.code = ErrorCode::not_permitted,
                 .operation = "let root execute",
                 .object = os::quoted(program),
                 .cause = std::move(why),
                 .next_step = "another user in [service] user, or a program that only root can change"};
}

// Who owns or may write the file itself; empty when that is root alone.
std::string fault_of(const std::string& path, const os::FileInfo& file)
{
    if (file.uid != 0) {
        const auto owner = os::account_of(file.uid);
        return os::quoted(path) + " belongs to user " + (owner && !owner->name.empty() ? owner->name : std::to_string(file.uid));
    }
    if ((file.mode & 002) != 0) return os::quoted(path) + " can be written by every user";
    if ((file.mode & 020) != 0 && file.gid != 0) return os::quoted(path) + " can be written by group " + std::to_string(file.gid);
    return {};
}

// Why what is called `path` could be replaced by another file; empty when only root could.
Result<std::string> replaceable(const std::string& path, const os::FileInfo& object)
{
    std::string directory = os::parent_of(path);
    const auto here = os::info_at(directory, true);
    if (!here) return fail(here.error());
    const bool sticky = *here && ((*here)->mode & 01000) != 0 && (*here)->uid == 0;
    if (sticky && object.uid == 0) directory = os::parent_of(directory);
    // "/." because a directory that is itself a link, as /bin is, may be entered by it.
    const auto opened = os::open_trusted(directory + "/.", {.directory = true, .path_only = true});
    if (!opened && opened.error().os_errno == ELOOP) return "a symbolic link in its path could be changed by another user";
    if (!opened) return fail(opened.error());
    const auto why = os::distrust(*opened, {.owner = 0, .groups = {0}});
    if (!why) return fail(why.error());
    return why->value_or("");
}

}  // namespace

std::string outside_of_root(const std::string& root_directory, const std::string& path)
{
    if (root_directory.empty() || root_directory == "/") return path;
    namespace stdfs = std::filesystem;
    const stdfs::path root(root_directory);
    stdfs::path reached;
    std::deque<std::string> rest;
    const auto put_first = [&rest](const stdfs::path& components) { rest.insert(rest.begin(), components.begin(), components.end()); };
    put_first(stdfs::path(path).relative_path());
    for (int links = 0; !rest.empty();) {
        const std::string component = std::move(rest.front());
        rest.pop_front();
        if (component.empty() || component == ".") continue;
        if (component == "..") {
            reached = reached.parent_path();
            continue;
        }
        const auto target = link_target((root / reached / component).string());
        if (!target || ++links > most_links) {
            reached /= component;
            continue;
        }
        const stdfs::path to(*target);
        if (to.is_absolute()) reached.clear();
        put_first(to.relative_path());
    }
    return (root / reached).string();
}

Result<std::string> find_program(const std::string& name, const ProgramSearch& where)
{
    if (name.find('/') == std::string::npos) return search_path(name, where);
    std::string path = name.starts_with('/') ? name : where.working_directory + (where.working_directory.ends_with('/') ? "" : "/") + name;
    const std::string outside = outside_of_root(where.root_directory, path);
    if (os::can_execute(outside)) return path;
    const auto there = os::info_at(outside, true);
    if (!there) return fail(missing(outside, there.error().os_errno));
    return fail(missing(outside, *there ? ((*there)->kind == os::FileInfo::Kind::directory ? EISDIR : EACCES) : ENOENT));
}

Result<void> require_only_root_can_change(const std::string& program)
{
    std::string path = program;
    for (int links = 0; links <= most_links; ++links) {
        const auto object = os::info_at(path);
        if (!object) return fail(object.error());
        if (!*object) return {};  // gone since it was found: exec will say so
        const auto why = replaceable(path, **object);
        if (!why) return fail(why.error());
        if (!why->empty()) return fail(changeable(program, *why));
        if ((*object)->kind != os::FileInfo::Kind::symlink) {
            std::string fault = fault_of(path, **object);
            if (fault.empty()) return {};
            return fail(changeable(program, std::move(fault)));
        }
        const auto target = link_target(path);
        if (!target) return {};
        path = target->starts_with('/') ? *target : os::parent_of(path) + "/" + *target;
    }
    return fail(missing(program, ELOOP));
}

std::string why_not_executed(const std::string& path, int os_errno)
{
    const std::string plain = os::errno_text(os_errno);
    if (os_errno != ENOENT) return plain;
    const auto file = os::open_following(path, {.read = true});
    if (!file) return plain;
    std::array<std::byte, 256> bytes{};
    const auto got = os::read_some(*file, bytes);
    if (!got) return plain;
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), *got);
    if (!text.starts_with("#!")) return "the loader that it asks for is missing";
    text.remove_prefix(2);
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    return "its interpreter " + os::quoted(text.substr(0, text.find_first_of(" \t\r\n"))) + " is missing";
}

}  // namespace steward::process
