#include "os/kernel_names.hpp"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>

namespace steward::os {
namespace {

TEST(KernelNames, limits_are_known_by_their_names_in_lower_case)
{
    EXPECT_EQ(rlimit_number("nofile"), RLIMIT_NOFILE);
    EXPECT_EQ(rlimit_number("core"), RLIMIT_CORE);
    EXPECT_EQ(rlimit_number("as"), RLIMIT_AS);
    EXPECT_EQ(rlimit_number("rttime"), RLIMIT_RTTIME);
    for (const char* name : {"", "NOFILE", "nofiles", "rlimit_nofile"}) EXPECT_EQ(rlimit_number(name), std::nullopt) << name;
}

TEST(KernelNames, capabilities_are_known_with_their_prefix)
{
    EXPECT_EQ(capability_number("cap_chown"), CAP_CHOWN);
    EXPECT_EQ(capability_number("cap_net_bind_service"), CAP_NET_BIND_SERVICE);
    EXPECT_EQ(capability_number("cap_setpcap"), CAP_SETPCAP);
    EXPECT_EQ(capability_number("cap_sys_admin"), CAP_SYS_ADMIN);
    EXPECT_EQ(capability_number("cap_syslog"), CAP_SYSLOG);
    EXPECT_EQ(capability_number("cap_checkpoint_restore"), CAP_CHECKPOINT_RESTORE);
    for (const char* name : {"", "cap_", "chown", "CAP_CHOWN", "cap_fly"}) EXPECT_EQ(capability_number(name), std::nullopt) << name;
}

}  // namespace
}  // namespace steward::os
