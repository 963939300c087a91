// What bench/run measures with: a program to supervise that says when it runs, and the least that starting programs can cost.
//
//   helper stamp FIFO          writes its PID and the monotonic time, as two 64-bit words, into FIFO, and stays
//   helper loop COUNT FIFO     starts COUNT stamps by vfork and exec, and stays until it is told to end; then ends them
//   helper restart COUNT FIFO  the same, and starts another for each that ends: a supervisor without anything that one is for
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

volatile sig_atomic_t ending = 0;

int stamp(const char* fifo)
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const std::int64_t words[2] = {getpid(), now.tv_sec * 1'000'000'000 + now.tv_nsec};
    const int fd = open(fifo, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, words, sizeof words) != sizeof words) return 1;
    close(fd);
    for (;;) pause();
}

pid_t launch(const char* program, const char* fifo)
{
    const char* const argv[] = {program, "stamp", fifo, nullptr};
    const pid_t child = vfork();
    if (child == 0) {
        execv(program, const_cast<char* const*>(argv));
        _exit(127);
    }
    return child;
}

int supervise(long count, const char* program, const char* fifo, bool again)
{
    struct sigaction end = {};
    end.sa_handler = [](int) { ending = 1; };
    sigaction(SIGTERM, &end, nullptr);
    std::vector<pid_t> children;
    for (long started = 0; started < count; ++started) children.push_back(launch(program, fifo));
    while (ending == 0) {
        const pid_t ended = waitpid(-1, nullptr, 0);
        if (ended < 0 && errno != EINTR) pause();
        if (ended <= 0 || !again) continue;
        for (pid_t& child : children) {
            if (child == ended) child = launch(program, fifo);
        }
    }
    for (const pid_t child : children) kill(child, SIGTERM);
    while (wait(nullptr) > 0 || errno == EINTR) {
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    const std::string_view what = argc > 2 ? argv[1] : "";
    if (what == "stamp") return stamp(argv[2]);
    if (argc < 4) return 2;
    return supervise(std::atol(argv[2]), argv[0], argv[3], what == "restart");
}
