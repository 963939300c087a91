// The child's calls about capabilities, without libcap: it allocates, and the kernel's own interface is two structs.
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <array>
#include <cerrno>

#include "os/child_calls.hpp"

namespace steward::os::child {
namespace {

constexpr unsigned most_capabilities = 64;

constexpr bool holds(std::uint64_t set, unsigned capability)
{
    return (set >> capability & 1) != 0;
}

struct CapabilitySets {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> halves{};  // bits 0–31, 32–63

    int read() noexcept { return syscall(SYS_capget, &header, halves.data()) < 0 ? errno : 0; }
    int write() noexcept { return syscall(SYS_capset, &header, halves.data()) < 0 ? errno : 0; }
};

constexpr std::uint32_t half_of(std::uint64_t set, std::size_t half)
{
    return static_cast<std::uint32_t>(set >> (32 * half));
}

}  // namespace

int keep_capabilities_over_setuid() noexcept
{
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ? errno : 0;
}

int bound_capabilities(std::uint64_t keep) noexcept
{
    for (unsigned capability = 0; capability < most_capabilities; ++capability) {
        const int held = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0) break;  // EINVAL: the kernel has no more
        if (held == 1 && !holds(keep, capability) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return errno;
    }
    // A program of root's gets its inheritable set back at exec, bounded or not (capabilities(7); CVE-2022-24769).
    CapabilitySets sets;
    if (const int error = sets.read(); error != 0) return error;
    for (std::size_t half = 0; half < sets.halves.size(); ++half) sets.halves[half].inheritable &= half_of(keep, half);
    return sets.write();
}

int raise_ambient(std::uint64_t capabilities) noexcept
{
    CapabilitySets sets;
    if (const int error = sets.read(); error != 0) return error;
    for (std::size_t half = 0; half < sets.halves.size(); ++half) {
        if ((half_of(capabilities, half) & ~sets.halves[half].permitted) != 0) return EPERM;
        sets.halves[half].inheritable |= half_of(capabilities, half);
    }
    if (const int error = sets.write(); error != 0) return error;
    for (unsigned capability = 0; capability < most_capabilities; ++capability) {
        if (holds(capabilities, capability) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0) return errno;
    }
    return 0;
}

int no_new_privileges() noexcept
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
}

}  // namespace steward::os::child
