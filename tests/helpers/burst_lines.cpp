// Writes so many lines of 64 bytes at each SIGUSR1, and nothing else. Where a socket is named, it sends there, first of all, its PID and when it was
// born: the monotonic clock in nanoseconds.
//
//   burst_lines LINES [SOCKET]
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace {

void tell_birth(const char* path)
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const std::string text = std::to_string(getpid()) + " " + std::to_string(now.tv_sec * 1'000'000'000 + now.tv_nsec);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sendto(socket, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    close(socket);
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 2) return 2;
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigprocmask(SIG_BLOCK, &wanted, nullptr);
    if (argc > 2) tell_birth(argv[2]);
    const std::string line = std::string(63, '.') + "\n";
    for (int signal = 0; sigwait(&wanted, &signal) == 0;) {
        for (long left = std::atol(argv[1]); left > 0; --left) {
            if (write(STDOUT_FILENO, line.data(), line.size()) < 0) return 1;
        }
    }
}
