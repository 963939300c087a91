// Plays an older kernel, or a container's seccomp filter: runs a program to which the named system calls fail.
//
//   deny_syscalls [--errno ENOSYS|EPERM|EINVAL] NAME[,NAME...] -- CMD ARG...
//
// The names stand in STEWARD_DENIED_SYSCALLS of the program's environment, for tests to know what to expect. Exit code 127 and a
// message when the program could not be run so.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace {

struct NamedCall {
    std::string_view name;
    unsigned number;
};
constexpr NamedCall known_calls[] = {
    {"pidfd_open", SYS_pidfd_open},   {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"clone3", SYS_clone3},           {"openat2", SYS_openat2},
    {"close_range", SYS_close_range}, {"splice", SYS_splice},
};

#if defined(__x86_64__)
constexpr unsigned native_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned native_architecture = AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr unsigned native_architecture = AUDIT_ARCH_RISCV64;
#else
#error "name this architecture's AUDIT_ARCH value"
#endif

[[noreturn]] void die(const char* text)
{
    std::fprintf(stderr, "deny_syscalls: %s\n", text);
    std::exit(127);
}

std::vector<unsigned> numbers_of(std::string_view list)
{
    std::vector<unsigned> numbers;
    while (!list.empty()) {
        const std::string_view name = list.substr(0, list.find(','));
        list.remove_prefix(name.size() < list.size() ? name.size() + 1 : name.size());
        std::optional<unsigned> number;
        for (const NamedCall& call : known_calls) {
            if (call.name == name) number = call.number;
        }
        if (!number) die("unknown system call");
        numbers.push_back(*number);
    }
    return numbers;
}

void deny(const std::vector<unsigned>& numbers, unsigned error)
{
    std::vector<sock_filter> filter{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, native_architecture, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    };
    for (const unsigned number : numbers) {
        filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
        filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
    }
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog program{.len = static_cast<unsigned short>(filter.size()), .filter = filter.data()};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0) return;
    // Without CAP_SYS_ADMIN a filter asks for no_new_privs; with it the tests keep their full rights.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        die(std::strerror(errno));
    }
}

}  // namespace

int main(int argc, char** argv)
{
    int at = 1;
    unsigned error = ENOSYS;
    if (at + 1 < argc && std::string_view(argv[at]) == "--errno") {
        const std::string_view name = argv[at + 1];
        if (name != "ENOSYS" && name != "EPERM" && name != "EINVAL") die("--errno is ENOSYS, EPERM or EINVAL");
        error = name == "EPERM" ? EPERM : name == "EINVAL" ? EINVAL : ENOSYS;
        at += 2;
    }
    if (at + 2 >= argc || std::string_view(argv[at + 1]) != "--") die("usage: [--errno ENOSYS|EPERM|EINVAL] NAME[,NAME...] -- CMD ARG...");
    setenv("STEWARD_DENIED_SYSCALLS", argv[at], 1);
    deny(numbers_of(argv[at]), error);
    execvp(argv[at + 2], argv + at + 2);
    die(std::strerror(errno));
}
