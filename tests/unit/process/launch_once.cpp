// One launch that asks for everything a plan can ask for, as the fault sweep wants it: launch_once DIRECTORY [detach | borrowed].
//
// Prints one line: "ok PID" or "error CODE MESSAGE", then what a failed launch must not leave: children, descriptors, a changed mask.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "injector.hpp"
#include "os/low_descriptors.hpp"
#include "process/launcher.hpp"

namespace {

using namespace steward;

std::set<std::string> descriptors()
{
    std::set<std::string> found;
    for (int fd = 0; fd < 64; ++fd) {
        if (fcntl(fd, F_GETFD) >= 0) found.insert(std::to_string(fd));
    }
    return found;
}

process::LaunchPlan plan_with_everything(const std::string& directory, bool detach)
{
    process::LaunchPlan plan;
    plan.service = "once";
    plan.program = "/bin/sleep";
    plan.argv = {"sleep", "60"};
    plan.environment = {"PATH=/bin"};
    plan.root_directory = "/";
    plan.working_directory = directory;
    plan.identity = process::Identity{.uid = 65534, .gid = 65534, .groups = {65534}};
    plan.nice = 1;
    plan.oom_score_adjust = 100;
    plan.cpu_affinity = {0};
    plan.limits = {{.resource = RLIMIT_NOFILE, .name = "nofile", .limit = {.soft = 64, .hard = 64}}};
    plan.bounding_capabilities = 1u << 10;
    plan.ambient_capabilities = 1u << 10;
    plan.no_new_privileges = true;
    plan.detach = detach;
    return plan;
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__)
// The search for leaks is itself done by ptrace, which a traced process cannot do.
extern "C" __attribute__((visibility("default"))) int __lsan_is_turned_off()
{
    return 1;
}
#endif

int main(int argc, char** argv)
{
    if (argc < 2) return 2;
    const std::string directory = argv[1];
    const bool detach = argc > 2 && std::string_view(argv[2]) == "detach";
    const bool borrowed = argc > 2 && std::string_view(argv[2]) == "borrowed";
    const auto file = [&](const char* name) { return open((directory + "/" + name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); };
    auto plan = plan_with_everything(directory, detach);
    if (borrowed) {
        plan.identity.reset();  // else the memory is not borrowed
        os::keep_low_descriptors();
    }
    plan.record = os::BorrowedFd(file("record"));
    plan.launch_lock = os::BorrowedFd(file("lock"));
    plan.standard_output = os::BorrowedFd(file("output"));
    sigset_t before, after;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR1);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    const auto open_before = descriptors();

    syscall(SYS_sched_get_priority_max, test::marker_policy);
    auto launched = process::launch(plan);
    syscall(SYS_sched_get_priority_max, test::marker_policy);

    if (launched) {
        std::printf("ok %d\n", launched->process.pid());
        static_cast<void>(launched->process.signal(SIGKILL));
        static_cast<void>(launched->process.wait({}));
        if (!detach) waitpid(launched->process.pid(), nullptr, 0);
        launched = fail(Error{});
    } else {
        std::printf("error %d %s\n", static_cast<int>(launched.error().code), launched.error().message().c_str());
    }
    if (waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) std::puts("left: a child");
    const auto open_after = descriptors();
    // Fewer where one could not be taken back in another way than by closing it.
    if (!std::ranges::includes(open_before, open_after)) std::puts("left: a descriptor");
    sigprocmask(SIG_SETMASK, nullptr, &after);
    for (int signal = 1; signal < SIGRTMAX; ++signal) {
        if (sigismember(&before, signal) != sigismember(&after, signal)) std::puts("left: a changed signal mask");
    }
}
