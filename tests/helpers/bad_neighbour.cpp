// A service that behaves badly towards whoever shares a machine or a supervisor with it: bad_neighbour HOW [N] plays
//   fork    keeps N children alive, each of which ends at once and is made anew, in sessions of their own
//   close   closes its standard streams and stays
//   flood   writes N MiB to its output streams by turns, as fast as it can, and stays
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

void fork_without_end(int most)
{
    for (int living = 0;;) {
        const pid_t child = fork();
        if (child == 0) {
            setsid();
            if (fork() == 0) usleep(20'000);  // left behind: its parent does not wait for it
            _exit(0);
        }
        if (child > 0) ++living;
        while (living >= most || (child < 0 && living > 0)) {
            if (wait(nullptr) < 0) break;
            --living;
        }
    }
}

void flood(long mebibytes)
{
    char line[4096];
    std::memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (long left = mebibytes * 256; left > 0; --left) {
        if (write(left % 2 == 0 ? 1 : 2, line, sizeof line) < 0) usleep(1000);
    }
}

}  // namespace

int main(int argc, char** argv)
{
    const std::string_view how = argc > 1 ? argv[1] : "";
    const int number = argc > 2 ? std::atoi(argv[2]) : 20;
    if (how == "fork") fork_without_end(number);
    if (how == "flood") flood(number);
    for (int stream = 0; how == "close" && stream < 3; ++stream) close(stream);
    for (;;) pause();
}
