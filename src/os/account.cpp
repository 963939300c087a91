#include "os/account.hpp"

#include <grp.h>
#include <pwd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>

#include "os/error.hpp"

namespace steward::os {
namespace {

constexpr std::size_t first_buffer = 1024;
constexpr std::size_t largest_buffer = std::size_t{16} << 20;  // a group of hundreds of thousands of members

bool is_number(const std::string& text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Strictly decimal, no leading zeros; 2^32-1 means "no change" to the kernel and is nobody.
std::optional<std::uint32_t> parse_id(const std::string& digits)
{
    if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
    std::uint32_t id = 0;
    const char* end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, id);
    if (error != std::errc{} || stopped != end || id == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return id;
}

Error unknown(const char* kind, const std::string& name, const char* cause)
{
    return Error{.code = ErrorCode::failed, .operation = "find", .object = std::string(kind) + " " + quoted(name), .cause = cause};
}

Error lookup_failed(const char* kind, const std::string& name, int error)
{
    Error failure = errno_error("find", std::string(kind) + " " + quoted(name), error);
    failure.cause = "the name service says: " + failure.cause;
    return failure;
}

// Calls a getXbyY_r with a buffer that grows until the entry fits. Unset: no such entry.
template <class Entry, class Call, class Take>
auto look_up(const char* kind, const std::string& name, Call call, Take take)
    -> Result<std::optional<decltype(take(std::declval<Entry&>()))>>
{
    std::vector<char> buffer(first_buffer);
    for (;;) {
        Entry entry{};
        Entry* found = nullptr;
        const int error = call(&entry, buffer.data(), buffer.size(), &found);
        if (found != nullptr) return std::optional(take(*found));
        if (error == ERANGE && buffer.size() < largest_buffer) {
            buffer.resize(buffer.size() * 4);
        } else if (error == 0 || error == ENOENT || error == ESRCH) {
            return std::optional<decltype(take(entry))>();
        } else if (error != EINTR) {
            return fail(lookup_failed(kind, name, error));
        }
    }
}

Account to_account(const passwd& entry)
{
    const auto or_default = [](const char* text, const char* fallback) { return text != nullptr && *text != '\0' ? text : fallback; };
    return Account{.name = entry.pw_name,
                   .uid = entry.pw_uid,
                   .gid = entry.pw_gid,
                   .home = or_default(entry.pw_dir, "/"),
                   .shell = or_default(entry.pw_shell, "/bin/sh")};
}

// root's entry stands in /etc/passwd on every Unix: for it the name service (nscd, LDAP, their libraries) need not be woken.
std::optional<Account> local_account_of(std::uint32_t uid)
{
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/etc/passwd", "re"), &std::fclose);
    if (!file) return std::nullopt;
    std::array<char, 4096> buffer;
    passwd entry{};
    passwd* found = nullptr;
    while (fgetpwent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0) {
        if (entry.pw_uid == uid) return to_account(entry);
    }
    return std::nullopt;
}

}  // namespace

Result<Account> find_account(const std::string& user)
{
    if (is_number(user)) {
        const auto uid = parse_id(user);
        if (!uid) return fail(unknown("user", user, "not a valid user number"));
        return account_of(*uid);
    }
    if (user.empty()) return fail(unknown("user", user, "the name is empty"));
    auto found = look_up<passwd>(
        "user", user,
        [&](passwd* entry, char* buffer, std::size_t size, passwd** result) {
            return getpwnam_r(user.c_str(), entry, buffer, size, result);
        },
        to_account);
    if (!found) return fail(found.error());
    if (!*found) return fail(unknown("user", user, "no such user"));
    return std::move(**found);
}

Result<Account> account_of(std::uint32_t uid)
{
    if (uid == 0) {
        if (auto root = local_account_of(uid)) return std::move(*root);
    }
    auto found = look_up<passwd>(
        "user", std::to_string(uid),
        [&](passwd* entry, char* buffer, std::size_t size, passwd** result) { return getpwuid_r(uid, entry, buffer, size, result); },
        to_account);
    if (!found) return fail(found.error());
    if (!*found) return Account{.name = {}, .uid = uid, .gid = uid, .home = "/", .shell = "/bin/sh"};
    return std::move(**found);
}

Result<std::uint32_t> find_group(const std::string& group)
{
    if (is_number(group)) {
        const auto gid = parse_id(group);
        if (!gid) return fail(unknown("group", group, "not a valid group number"));
        return *gid;
    }
    if (group.empty()) return fail(unknown("group", group, "the name is empty"));
    const auto found = look_up<::group>(
        "group", group,
        [&](::group* entry, char* buffer, std::size_t size, ::group** result) {
            return getgrnam_r(group.c_str(), entry, buffer, size, result);
        },
        [](const ::group& entry) { return static_cast<std::uint32_t>(entry.gr_gid); });
    if (!found) return fail(found.error());
    if (!*found) return fail(unknown("group", group, "no such group"));
    return **found;
}

Result<std::vector<std::uint32_t>> groups_of(const Account& account, std::uint32_t primary)
{
    if (account.name.empty()) return std::vector<std::uint32_t>{primary};
    constexpr int most_groups = 65536;  // NGROUPS_MAX
    for (int room = 32; room <= most_groups; room *= 2) {
        std::vector<gid_t> groups(static_cast<std::size_t>(room));
        int count = room;
        if (getgrouplist(account.name.c_str(), primary, groups.data(), &count) >= 0) {
            groups.resize(static_cast<std::size_t>(count));
            return std::vector<std::uint32_t>(groups.begin(), groups.end());
        }
    }
    return fail(Error{.code = ErrorCode::failed,
                      .operation = "find",
                      .object = "the groups of " + quoted(account.name),
                      .cause = "the name service does not tell them"});
}

}  // namespace steward::os
