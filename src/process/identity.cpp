#include "process/identity.hpp"

#include <algorithm>

#include "os/error.hpp"
#include "os/process.hpp"

namespace steward::process {

namespace {

Error needs_privilege(const ServiceSpec& spec)
{
    const bool user = !spec.service.user.empty();
    const std::string who = user ? "user " + os::quoted(spec.service.user) : "group " + os::quoted(spec.service.group);
    return Error{.code = ErrorCode::not_permitted,
                 .operation = "become",
                 .object = user || !spec.service.group.empty() ? who : "a member of other groups",
                 .cause = "only root may"};
}

}  // namespace

Result<ServiceUser> find_service_user(const ServiceSpec& spec)
{
    const auto& [user, group, supplementary] = std::tie(spec.service.user, spec.service.group, spec.service.supplementary_groups);
    ServiceUser found{.account = {}, .change = {}, .uid = os::effective_uid(), .gid = os::effective_gid()};
    if (user.empty() && group.empty() && supplementary.empty()) return found;

    const std::uint32_t caller = found.uid;
    const std::uint32_t callers_group = found.gid;
    auto account = user.empty() ? os::account_of(caller) : os::find_account(user);
    if (!account) return fail(std::move(account.error()));
    found.uid = account->uid;
    if (!user.empty()) found.gid = account->gid;
    if (!group.empty()) {
        const auto gid = os::find_group(group);
        if (!gid) return fail(gid.error());
        found.gid = *gid;
    }
    auto groups = os::groups_of(*account, found.gid);
    if (!groups) return fail(std::move(groups.error()));
    bool more_groups = false;
    for (const std::string& name : supplementary) {
        const auto gid = os::find_group(name);
        if (!gid) return fail(gid.error());
        if (std::ranges::find(*groups, *gid) != groups->end()) continue;
        groups->push_back(*gid);
        more_groups = true;
    }
    if (!user.empty()) found.account = std::move(*account);

    const bool is_caller = found.uid == caller && found.gid == callers_group && !more_groups;
    if (caller != 0 && !is_caller) return fail(needs_privilege(spec));
    // Root becomes even itself, to shed the groups that it came with.
    if (caller == 0) found.change = Identity{.uid = found.uid, .gid = found.gid, .groups = std::move(*groups)};
    return found;
}

}  // namespace steward::process
