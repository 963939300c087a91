// A daemon that reloads: catch_hup FILE appends "ready" to FILE, then "hup" for each SIGHUP.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace {

int file = -1;

void append_hup(int)
{
    if (write(file, "hup\n", 4) != 4) _exit(1);
}

}  // namespace

int main(int, char** argv)
{
    file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct sigaction action {};
    action.sa_handler = append_hup;
    sigaction(SIGHUP, &action, nullptr);
    if (write(file, "ready\n", 6) != 6) return 1;
    for (;;) pause();
}
