// Who a service runs as: user, group and supplementary groups of its file, looked up.
#pragma once

#include <cstdint>
#include <optional>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

#include "os/account.hpp"
#include "process/launch_plan.hpp"

namespace steward::process {

struct ServiceUser {
    std::optional<os::Account> account;  // of `user`, where the file names one
    std::optional<Identity> change;      // unset: the caller stays who it is, which needs no privilege
    std::uint32_t uid = 0;               // what it runs as in the end
    std::uint32_t gid = 0;
};

// An unknown user or group is an error (CVE-2017-1000082), and not_permitted is one that the caller may not become.
Result<ServiceUser> find_service_user(const ServiceSpec& spec);

}  // namespace steward::process
