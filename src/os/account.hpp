// Users and groups by name or number, from the name service. May block (LDAP): called before daemonizing, never in a loop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <steward/result.hpp>

namespace steward::os {

struct Account {
    std::string name;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string home;
    std::string shell;
};

// A name, or a strictly decimal number ("0day" is a name, and unknown). An unknown name is an error; an unknown number is an
// account without a name, with gid = uid unless told otherwise, home "/" and shell "/bin/sh".
Result<Account> find_account(const std::string& user);
Result<Account> account_of(std::uint32_t uid);
Result<std::uint32_t> find_group(const std::string& group);
// The primary and all supplementary groups that initgroups(3) would set.
Result<std::vector<std::uint32_t>> groups_of(const Account& account, std::uint32_t primary);

}  // namespace steward::os
