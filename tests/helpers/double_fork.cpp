// A process that flees: double_fork [--exit] PIDFILE forks, leaves session and group, forks again, and the grandchild stays, its PID in
// PIDFILE (written whole, before the main process goes on). The main process stays too, or with --exit ends like an old daemon.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

[[noreturn]] void stay()
{
    for (;;) pause();
}

void write_pid(const std::string& path, pid_t pid)
{
    const std::string temporary = path + ".new";
    std::FILE* file = std::fopen(temporary.c_str(), "w");
    if (file == nullptr) _exit(1);
    std::fprintf(file, "%d\n", static_cast<int>(pid));
    std::fclose(file);
    std::rename(temporary.c_str(), path.c_str());
}

}  // namespace

int main(int argc, char** argv)
{
    const bool ends = argc > 1 && std::string_view(argv[1]) == "--exit";
    const char* path = argv[ends ? 2 : 1];
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        const pid_t grandchild = fork();
        if (grandchild == 0) stay();
        write_pid(path, grandchild);
        return 0;
    }
    waitpid(child, nullptr, 0);
    if (!ends) stay();
}
